import base64
import gzip

import click
import pytest

from mds_tui.cli.framing import frames, read_file


def payloads(content, framing="lines"):
    return [frame.payload for frame in frames(content, framing)]


def test_a_body_is_taken_as_it_is():
    assert payloads(b"a\nb\n", "body") == [b"a\nb\n"]


def test_each_line_is_a_frame_and_keeps_its_number():
    found = list(frames(b'{"a":1}\n\n{"a":2}\r\n', "lines"))
    assert [(frame.number, frame.payload) for frame in found] == [(1, b'{"a":1}'), (3, b'{"a":2}')]


def test_one_document_over_many_lines_is_one_frame():
    assert len(payloads(b'{\n "a": 1\n}\n')) == 1


@pytest.mark.parametrize("stamp", [b"1723161253937085768 ", b"1633998512.0633569: "])
def test_the_time_of_receipt_is_no_part_of_the_frame(stamp):
    assert payloads(stamp + b'{"a":1}\n' + stamp + b'{"a":2}') == [b'{"a":1}', b'{"a":2}']


def test_base64_is_offered_beside_the_text():
    line = base64.b64encode(b"\x00\x01")
    (frame,) = frames(line, "lines")
    assert (frame.payload, frame.unarmoured) == (line, b"\x00\x01")
    (frame,) = frames(b'{"a":1}', "lines")
    assert frame.unarmoured is None


def test_a_binary_file_is_never_cut_at_its_newlines():
    assert payloads(b"\x00\x0a\x0a\xff") == [b"\x00\x0a\x0a\xff"]
    assert payloads(b"\x00\x0aAA", "length-prefixed") == [b"\x00\x0aAA"]


def test_gzip_is_unpacked(tmp_path):
    file = tmp_path / "log.gz"
    file.write_bytes(gzip.compress(b"hello"))
    assert read_file(str(file)) == b"hello"
    file.write_bytes(gzip.compress(b"hello")[:-4])
    with pytest.raises(click.UsageError, match="not whole gzip"):
        read_file(str(file))


def test_a_file_that_is_not_there_is_a_usage_error():
    with pytest.raises(click.UsageError, match="No such file"):
        read_file("nowhere")
