"""A drill in words: its page, its scorecard, its file, and the header. Pure."""

from datetime import UTC

import msgspec
import pytest
from mds_engine.control.drill import DrillCheck, DrillPhase
from mds_engine.control.events import BreakerOpened, DrillEnded, FailedOver, Throttled

from mds_tui.details.drill import card_lines, seconds_words, value_words, view_lines
from mds_tui.drill_export import markdown, write
from mds_tui.export import ExportError
from mds_tui.format.cells import text_of, width_of
from mds_tui.format.header import Status, header
from mds_tui.format.sight import Sight
from mds_tui.news import is_alarm, is_toast
from tests.tui.prepared import AT
from tests.tui.prepared_drill import drill_card, drill_view

MADE = (
    BreakerOpened(
        number=9, at=AT, drill=1, source="kite", capability="quote", open_for_s=60.0, why="5 | in a row"
    ),
    Throttled(number=8, at=AT, source="yahoo", for_s=3.0, banned=False, why="429"),
)


@pytest.fixture
def sight(snapshot) -> Sight:
    return Sight(snapshot, zone=UTC)


def _page(lines) -> str:
    return "\n".join(text_of(line) for line in lines)


def test_a_drill_that_runs_tells_what_it_is_and_how_it_goes(sight) -> None:
    live = [msgspec.structs.replace(source, simulated=False) for source in sight.snapshot.sources]
    sight = sight._replace(snapshot=msgspec.structs.replace(sight.snapshot, sources=tuple(live)))
    page = _page(view_lines(drill_view(at_risk=("NSE/ticks",)), MADE, sight, 110))
    assert "DRILL refused of kite   the fault stands   0:42 left" in page
    assert "on our side of the connection; nothing is sent to kite for it" in page
    assert "NSE/ticks had no other source" in page
    assert "41 made   41 answered   0 failed   by kite 5, yahoo 36" in page
    assert "0 lost   0 doubled   0 out of order   0.4 s in 1 gap" in page
    assert "quote open   ticks closed   source closed" in page
    assert "1 of 2 routes are its own" in page


def test_only_what_comes_from_the_drill_is_told_as_such(sight) -> None:
    page = _page(view_lines(drill_view(), MADE, sight, 110))
    assert "kite           quote breaker open for 1 min" in page
    assert "yahoo " not in page.partition("what it brought about")[2]


def test_a_drill_of_an_engine_before_is_another_one(sight) -> None:
    older = msgspec.structs.replace(MADE[0], at=AT - 900.0)
    assert "what it brought about" not in _page(view_lines(drill_view(), (older,), sight, 110))


def test_its_end_is_told_in_passing_and_what_it_breaks_rings_no_bell() -> None:
    assert is_toast(DrillEnded(source="kite", card=drill_card()))
    moved = FailedOver(route="NSE/quote", before="kite", after="yahoo", why="drill: refused")
    assert is_alarm(moved)
    assert not is_alarm(msgspec.structs.replace(moved, drill=1))


def test_a_drill_in_its_recovery_says_so(sight) -> None:
    page = _page(view_lines(drill_view(phase=DrillPhase.RECOVERY), (), sight, 110))
    assert "the fault is over, recovery is watched   at most 0:42 more" in page


@pytest.mark.parametrize("width", [50, 72, 110, 160])
def test_no_line_is_wider_than_the_page(sight, width: int) -> None:
    for lines in (view_lines(drill_view(), MADE, sight, width), card_lines(drill_card(), MADE, sight, width)):
        assert max(width_of(line) for line in lines) <= width


def test_a_scorecard_gives_every_check_with_its_reason(sight) -> None:
    page = _page(card_lines(drill_card(), MADE, sight, 110))
    assert "FAIL   drill refused of kite" in page
    assert "fault for 1 min: its time was over" in page
    assert "✖ calls failed" in page
    assert "yahoo was throttled meanwhile" in page
    assert "· ticks lost" in page
    assert "the quote breaker of kite was reset" in page
    assert "asha: “before the open”" in page


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (DrillCheck(name="calls", value=1204.0), "1,204"),
        (DrillCheck(name="failover", value=38.24, unit="ms"), "38.2 ms"),
        (DrillCheck(name="noticed", value=0.004, unit="s"), "4.0 ms"),
        (DrillCheck(name="well again", value=3.2, unit="s"), "3.2 s"),
        (DrillCheck(name="lost", value=None), "–"),
    ],
)
def test_a_figure_has_its_unit(check: DrillCheck, words: str) -> None:
    assert value_words(check) == words


def test_long_times_are_minutes() -> None:
    assert seconds_words(65.0) == "1 min 5 s"


def test_the_file_is_markdown_with_everything_in_it() -> None:
    text = markdown(drill_card(why="a | b\nc"), MADE, "prod")
    assert text.startswith("# Drill refused of kite: FAIL\n")
    assert "- engine: prod; routes: NSE/quote, NSE/ticks" in text
    assert "| **FAIL** | calls failed | 1 | = 0 | yahoo was throttled meanwhile |" in text
    assert "| told | ticks lost | – |  | kite does not number its ticks |" in text
    assert "- by asha: a \\| b c" in text
    assert "kite: quote breaker open for 1 min: 5 \\| in a row" in text
    assert "yahoo" not in text.partition("## What it brought about")[2]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}


def test_where_it_was_written_is_told(tmp_path) -> None:
    where = write(drill_card(target="ki/te"), MADE, "prod", tmp_path / "exports")
    (file,) = (tmp_path / "exports").iterdir()
    assert file.name == "drill-refused-ki_te-20260921T141302Z.md"
    assert str(file) in where
    assert file.read_text(encoding="utf-8").startswith("# Drill refused")


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path) -> None:
    (tmp_path / "exports").write_text("a file", encoding="utf-8")
    with pytest.raises(ExportError, match=r"cannot write .*drill-refused-kite"):
        write(drill_card(), MADE, "prod", tmp_path / "exports")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_header_says_drill_at_every_width(snapshot, width: int) -> None:
    drilled = msgspec.structs.replace(snapshot, drill=drill_view())
    line = text_of(header(Sight(drilled, zone=UTC), Status(mode="embedded", at=AT), width))
    assert "DRILL kite refused 0:42 left" in line
    recovering = msgspec.structs.replace(snapshot, drill=drill_view(phase=DrillPhase.RECOVERY))
    line = text_of(header(Sight(recovering, zone=UTC), Status(mode="embedded", at=AT), width))
    assert "DRILL kite refused recovering" in line


def test_a_result_outlasts_json() -> None:
    event = DrillEnded(source="kite", card=drill_card())
    assert msgspec.json.decode(msgspec.json.encode(event), type=DrillEnded) == event
