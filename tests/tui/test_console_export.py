"""Panes as files through the real keys: what is written, where it goes, and what is said when it cannot."""

import csv
import json
import re
from pathlib import Path

import pytest

from mds_tui.desk_layout import PANES

SIZE = (120, 40)
STAMP = "20260921T141320Z"
"""When the prepared picture was taken."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder, and the folder that the console was started in."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state" / "mds-tui" / "exports"


async def _written(app, pilot) -> list[str]:
    """What the console said once the files were written."""
    await app.workers.wait_for_complete()
    await pilot.pause()
    return [notice.message for notice in app._notifications]


@pytest.mark.parametrize(("number", "name"), list(enumerate(PANES, 1)))
async def test_w_writes_every_row_of_the_pane_as_csv_and_json(
    console, folder: Path, number: int, name: str
) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press(str(number), "w")
        (said,) = await _written(app, pilot)
        rows = app.desk.pane_named(name).rows
        file = folder / f"{name}-{STAMP}.csv"
        assert said == f"{len(rows)} rows of {name} written to {file}, and .json beside it"
        with file.open(encoding="utf-8", newline="") as lines:
            in_csv = list(csv.DictReader(lines))
        whole = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        assert len(rows) == len(in_csv) == len(whole["rows"]) == whole["total"] > 1
        assert whole["engine"] == "desk-in"
        assert whole["at"] == "2026-09-21T14:13:20.000Z"
        for flat, row in zip(in_csv, whole["rows"], strict=True):
            assert list(flat) == list(row)
            for field, value in row.items():
                expected = "" if value is None else value
                if isinstance(value, bool | list | dict):
                    assert json.loads(flat[field]) == value
                else:
                    assert flat[field] == str(expected)


@pytest.mark.parametrize("number", [1, 3, 4, 5])
async def test_every_column_that_can_be_read_is_in_the_file(console, folder: Path, number: int) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press(str(number))
        pane = app.desk.focused_pane
        for column in pane.columns:
            if column.order is None or column.name in {"state", "breaker"}:
                continue
            for row in pane.rows:
                assert column.order(row) in pane.fields(row).values(), column.name


async def test_the_file_has_the_filter_and_the_order_of_the_pane(console, folder: Path) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5", "slash", *"binance", "enter", "s", "s", "S", "w")
        (said,) = await _written(app, pilot)
        assert said.startswith("3 rows of watch ")
        whole = json.loads((folder / f"watch-{STAMP}.json").read_text(encoding="utf-8"))
        assert (whole["filter"], whole["sort"], whole["total"]) == ("binance", "last down", 9)
        assert [row["last"] for row in whole["rows"]] == [97412.11, 3318.6, 0.3821]


async def test_export_on_the_line_writes_the_file_that_is_named_and_never_over_another(
    console, link, tmp_path: Path, folder: Path
) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2", "colon", *"exp", "tab", *" routes now.csv", "enter")
        file = tmp_path / "routes now.csv"
        assert await _written(app, pilot) == [f"8 rows of routes written to {file}"]
        assert file.read_text(encoding="utf-8").startswith("route,exchange,data,sources,active,")
        await pilot.press("colon", "up", "enter")
        assert (await _written(app, pilot))[-1] == f"{file} exists already: name another file"
        await pilot.press("colon", *"export", "enter")
        assert (await _written(app, pilot))[-1].startswith(f"8 rows of routes written to {folder}")
        assert not link.sent


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("export routes.txt", r"routes.txt: a file to export to ends in .csv or .json"),
        ("export nowhere/x.csv", r"cannot write .*/nowhere/x.csv: No such file .*; name another place .*"),
    ],
)
async def test_what_cannot_be_written_is_said_in_a_sentence(console, typed: str, said: str) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2", "colon", *typed, "enter")
        (sentence,) = await _written(app, pilot)
        assert re.fullmatch(said, sentence)


async def test_an_empty_pane_and_a_folder_that_is_none_are_said_too(console, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5", "w")
        (sentence,) = await _written(app, pilot)
        assert sentence.startswith("cannot write ")
        assert sentence.endswith("; name another place with :export FILE")
        await pilot.press("slash", *"zzz", "enter", "w")
        assert (await _written(app, pilot))[-1] == "watch shows no rows: there is nothing to write"


async def test_the_palette_begins_the_line(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("2", "ctrl+p", *"expo")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.focused.id == "prompt"
        assert app.focused.value == ":export "


async def test_help_tells_the_key_and_the_word(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(140, 60)) as pilot:
        await pilot.press("4", "question_mark")
        await pilot.pause()
        assert "write the rows to files, CSV and JSON" in read_screen(app)
        await pilot.press("G")
        await pilot.pause()
        assert "Write the rows of the focused pane" in read_screen(app)
