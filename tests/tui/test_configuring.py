"""The configuration without a screen: rows, typed values, drafts, colours, and the watch on the file."""

from pathlib import Path

import pytest
from mds_engine.config.file import ConfigFile, Written, digest_of
from mds_engine.config.masking import is_masked
from mds_engine.errors import ConfigError
from mds_engine.sources.plugins import find_plugins

from mds_tui.configuring.draft import Draft
from mds_tui.configuring.outline import UNSET, parse_typed, sections, settings_of, turned
from mds_tui.configuring.toml_area import highlights_of
from mds_tui.configuring.watching import ConfigWatch
from tests.tui.configured import TEXT


@pytest.fixture
def draft(path: Path) -> Draft:
    """Of a file that an engine goes by."""
    file = ConfigFile(path, find_plugins(), {})
    file.load()
    return Draft(file, file.read())


def test_every_setting_has_a_row_a_kind_and_a_meaning(draft) -> None:
    found = {".".join(section.path): settings_of(section, draft) for section in sections(draft)}
    assert list(found)[:5] == [
        "sources.zerodha",
        "sources.yahoo",
        "sources.binance",
        "routes.NSE",
        "routes.BINANCE",
    ]
    rows = {setting.name: setting for setting in found["sources.zerodha"]}
    kinds = {name: rows[name].kind for name in ("kind", "enabled", "priority", "timeout_s", "endpoints")}
    assert kinds == {
        "kind": "choice",
        "enabled": "switch",
        "priority": "whole",
        "timeout_s": "number",
        "endpoints": "list",
    }
    assert rows["api_key"].kind == "secret"
    assert rows["api_key"].words == "(set, not shown)"
    assert "first-secret" not in repr(rows["api_key"])
    for settings in found.values():
        for setting in settings:
            assert setting.about, setting.path


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("priority", "7", 7),
        ("timeout_s", "2.5", 2.5),
        ("timeout_s", "2", 2),
        ("timeout_s", "", UNSET),
        ("enabled", "no", False),
        ("endpoints", "https://a.example, https://b.example", ["https://a.example", "https://b.example"]),
        ("currency", "INR", "INR"),
        ("priority", "${PRIORITY}", "${PRIORITY}"),
    ],
)
def test_what_is_typed_becomes_a_value(draft, name, typed, value) -> None:
    (section,) = (one for one in sections(draft) if one.title == "yahoo")
    (setting,) = (one for one in settings_of(section, draft) if one.name == name)
    assert parse_typed(setting, typed) == value


def test_what_is_no_number_is_said(draft) -> None:
    (section,) = (one for one in sections(draft) if one.title == "yahoo")
    rows = {setting.name: setting for setting in settings_of(section, draft)}
    with pytest.raises(ConfigError, match="priority is a whole number"):
        parse_typed(rows["priority"], "2.5")
    with pytest.raises(ConfigError, match="timeout_s is a number"):
        parse_typed(rows["timeout_s"], "soon")
    assert turned(rows["enabled"], 1) is False


def test_a_draft_merges_both_edits_and_keeps_its_secrets(draft) -> None:
    draft.set(("sources", "yahoo", "priority"), 1)
    theirs = TEXT.replace('"second-secret"', '"theirs-secret"').replace("false", "true")
    assert draft.merge(Written(theirs, digest_of(theirs))) == 0
    assert draft.text == theirs.replace("priority = 10", "priority = 1")
    assert "secret" not in draft.shown
    assert draft.is_changed


def test_where_both_changed_the_same_line_both_stand_and_cannot_be_saved_unseen(draft) -> None:
    draft.set(("sources", "yahoo", "priority"), 1)
    theirs = TEXT.replace("priority = 10", "priority = 2")
    assert draft.merge(Written(theirs, digest_of(theirs))) == 1
    assert "priority = 1" in draft.text
    assert "priority = 2" in draft.text
    assert draft.problems, "a setting that is given twice is no TOML"


def test_a_mask_that_hides_nothing_is_a_problem(draft) -> None:
    draft.write(draft.shown.replace("<hidden:1>", "<hidden:99>"))
    assert [problem.line for problem in draft.problems] == [11]
    assert is_masked("<hidden:99>")


def test_colours_of_half_a_text() -> None:
    text = '[sources.a] # x\nkind = "yahoo"\nlist = [1, true\nkey = """two\nlines\n'
    kinds = {line: [kind for *_, kind in found] for line, found in highlights_of(text, [3]).items()}
    assert kinds[0] == ["header", "comment"]
    assert kinds[1] == ["key", "text"]
    assert kinds[2] == ["key", "number", "number", "wrong"]
    assert kinds[4] == ["text"]


def test_a_watch_tells_each_change_once_and_what_is_wrong_with_it(path) -> None:
    file = ConfigFile(path, find_plugins(), {})
    file.load()
    watch = ConfigWatch(file)
    watch.look()
    assert (watch.news(), watch.differs, watch.words) == ("", False, "")
    path.write_text(TEXT + "# more\n")
    watch.look()
    assert "changed on disk" in watch.news()
    watch.look()
    assert watch.news() == ""
    path.write_text(TEXT + "[nonsense]\n")
    watch.look()
    assert "cannot be used" in (news := watch.news())
    assert "line 29: nonsense: there is no section" in news
    assert watch.words == "config on disk is broken: C"
    path.unlink()
    watch.look()
    assert "cannot be read" in watch.news()
    path.write_text(TEXT)
    watch.look()
    assert (watch.news(), watch.words) == ("", "")
