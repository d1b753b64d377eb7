"""Keys of one's own: what is accepted, what is refused and why, and how the file is written. Pure."""

import inspect
import pkgutil
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.binding import Binding
from textual.dom import DOMNode

import mds_tui
from mds_tui.finding.catalogue import SCOPES, actions, all_actions, bindings_of, is_dangerous
from mds_tui.finding.key_names import UnknownKeyError, is_guarded, key_of, shown_key
from mds_tui.finding.keymap import Keymap, Wish, checked, clashes
from mds_tui.finding.keymap_file import KeymapFileError, load_keymap, write_keys

EVERY = all_actions()


def _checked(*wishes: tuple[str, str]) -> Keymap:
    return checked(
        [Wish(name, tuple(keys.split()), line) for line, (name, keys) in enumerate(wishes, 1)], EVERY
    )


def _why(*wishes: tuple[str, str]) -> list[str]:
    return [f"{one.wish.id}: {one.why}" for one in _checked(*wishes).refused]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "keymap.toml"


def _load(file: Path, text: str) -> tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]]:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    loaded = load_keymap(file, EVERY)
    return loaded.keymap.keys, loaded.problems


# The names that a keymap uses.


def _classes_with_keys() -> dict[str, type]:
    found = {}
    for module in pkgutil.walk_packages(mds_tui.__path__, "mds_tui."):
        if ".cli" in module.name or module.name.endswith("__main__"):
            continue
        for name, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            if cls.__module__ == module.name and issubclass(cls, DOMNode) and "BINDINGS" in vars(cls):
                found[f"{module.name}:{name}"] = cls
    return found


def test_every_class_with_keys_is_in_a_scope_and_every_key_has_a_name() -> None:
    in_scopes = set()
    for name in {name for scope in SCOPES for name in scope.chain}:
        module, _, cls = name.partition(":")
        in_scopes |= set(getattr(import_module(module), cls).__mro__)
    classes = _classes_with_keys()
    assert [name for name, cls in classes.items() if cls not in in_scopes] == []
    nameless = [
        f"{name} {binding.key}"
        for name, cls in classes.items()
        for binding in Binding.make_bindings(vars(cls)["BINDINGS"])
        if binding.id is None and binding.description
    ]
    assert nameless == []


def test_what_acts_is_never_bound_before_what_is_in_focus_and_has_a_guarded_key() -> None:
    for name, cls in _classes_with_keys().items():
        for binding in bindings_of(cls):
            if is_dangerous(binding):
                assert not binding.priority, name
                assert is_guarded(binding.key), f"{name} {binding.key}"
    assert actions()["act.fail-over"].dangerous
    assert actions()["desk.restart-engine"].dangerous
    assert not actions()["desk.zoom"].dangerous


def test_an_action_has_all_its_keys_and_all_its_places() -> None:
    down = actions()["pane.down"]
    assert down.keys == ("down", "j")
    assert "on the desk, in watch" in down.scopes
    assert actions()["latency.quantile"].scopes == ("on the desk, in latency", "on a recording, in latency")


# The names of keys.


@pytest.mark.parametrize(
    ("written", "key", "shown"),
    [
        ("F", "F", "F"),
        ("/", "slash", "/"),
        ("slash", "slash", "/"),
        ("+", "plus", "+"),
        ("ctrl++", "ctrl+plus", "ctrl++"),
        ("Ctrl+F", "ctrl+f", "ctrl+f"),
        ("pgdn", "pagedown", "pgdn"),
        ("Shift+Tab", "shift+tab", "shift+tab"),
        ("shift+ctrl+up", "ctrl+shift+up", "ctrl+shift+↑"),
        ("F5", "f5", "f5"),
        ("esc", "escape", "esc"),
        ("ä", "ä", "ä"),
    ],
)
def test_keys_are_written_as_people_do(written: str, key: str, shown: str) -> None:
    assert key_of(written) == key
    assert shown_key(key) == shown
    assert key_of(key) == key


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("pagdown", "there is no key 'pagdown'; did you mean 'pagedown'?"),
        ("shift+a", "write 'A'"),
        ("ctrl+i", "for a terminal that is tab"),
        ("hyper+x", "'hyper' is no key to hold"),
        ("", "an empty word is no key"),
        ("\x07", "is no key"),
    ],
)
def test_a_key_that_there_is_not_is_explained(written: str, words: str) -> None:
    with pytest.raises(UnknownKeyError, match=words):
        key_of(written)


# What is accepted.


def test_a_wish_takes_the_place_of_all_usual_keys() -> None:
    keymap = _checked(("desk.zoom", "z"), ("pane.down", "n down"), ("act.fail-over", "ctrl+o f2"))
    assert keymap.refused == ()
    assert keymap.keys == {"desk.zoom": ("z",), "pane.down": ("n", "down"), "act.fail-over": ("ctrl+o", "f2")}


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ([("desk.zom", "z")], "desk.zom: there is no action 'desk.zom'; did you mean 'desk.zoom'?"),
        ([("desk.zoom", "pgdwn9")], "desk.zoom: there is no key 'pgdwn9'"),
        ([("desk.zoom", "ctrl+q")], "desk.zoom: ctrl+q leaves the console, everywhere: choose another"),
        ([("act.fail-over", "f")], "act.fail-over: f is too easily pressed for what acts"),
        ([("act.fail-over", "enter")], "act.fail-over: ⏎ is too easily pressed for what acts"),
        ([("line.complete", "x")], "line.complete: x is typed there"),
        (
            [("desk.zoom", "F")],
            "desk.zoom: F is act.fail-over (fail over) on the desk, in sources: choose another, or",
        ),
        ([("events.follow", "s")], "events.follow: s is pane.sort (sort by the next column) on the desk, in"),
        ([("desk.zoom", "z"), ("desk.pause", "z")], "desk.pause: z is desk.zoom (zoom) on the desk"),
        ([("dialog.cancel", "enter")], "dialog.cancel: ⏎ is dialog.next-answer"),
        ([("priorities.next", "enter")], "priorities.next: ⏎ is press button in the priorities"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(wishes: list[tuple[str, str]], why: str) -> None:
    refused = _why(*wishes, ("desk.undo", "ctrl+u"))
    assert len(refused) == 1
    assert refused[0].startswith(why)
    assert _checked(*wishes, ("desk.undo", "ctrl+u")).keys["desk.undo"] == ("ctrl+u",)


def test_two_actions_may_change_places() -> None:
    keymap = _checked(("act.fail-over", "R"), ("act.reset-breaker", "F"))
    assert keymap.refused == ()
    assert keymap.keys == {"act.fail-over": ("R",), "act.reset-breaker": ("F",)}


def test_a_key_that_was_given_up_in_vain_is_taken_again() -> None:
    """`fail over` gets R only if `reset` can leave it."""
    refused = _why(("act.fail-over", "R"), ("act.reset-breaker", "B"))
    assert [words.partition(":")[0] for words in refused] == ["act.reset-breaker", "act.fail-over"]


def test_keys_of_panes_that_are_never_focused_together_may_be_the_same() -> None:
    assert _why(("events.follow", "x"), ("latency.quantile", "x")) == []


_WISHES = st.lists(
    st.tuples(
        st.sampled_from([*actions(), "nobody"]),
        st.lists(
            st.sampled_from([*"aFRxz/", "ctrl+o", "f2", "enter", "tab", "nokey"]), min_size=1, max_size=2
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(_WISHES)
def test_what_is_accepted_never_clashes_and_nothing_is_lost(wishes: list[tuple[str, list[str]]]) -> None:
    asked = [Wish(name, tuple(keys), line) for line, (name, keys) in enumerate(wishes, 1)]
    keymap = checked(asked, EVERY)
    assert list(clashes(keymap.keys, EVERY)) == []
    assert len(keymap.keys) + len(keymap.refused) == len(asked)
    for name, keys in keymap.keys.items():
        assert not actions()[name].dangerous or all(is_guarded(key) for key in keys)
    for one in keymap.refused:
        assert one.why


# The file.


def test_tables_and_dotted_names_are_read_alike(file: Path) -> None:
    keys, problems = _load(file, 'desk.zoom = "z"\n"desk.pause" = "P"\n[act]\nfail-over = ["f2", "ctrl+o"]\n')
    refused = (
        "P is act.set-priority (priorities) on the desk, in sources: choose another, or give that one another"
    )
    assert problems == (f"keymap.toml:2: desk.pause = 'P': {refused}",)
    assert keys == {"desk.zoom": ("z",), "act.fail-over": ("f2", "ctrl+o")}


def test_each_problem_is_told_with_its_line_and_the_rest_is_used(file: Path) -> None:
    keys, problems = _load(
        file,
        '# mine\n[desk]\nzom = "z"\npause = 5\nundo = "ctrl+u"\n\n[act]\nfail-over = "f"\nautomatic = []\n',
    )
    assert keys == {"desk.undo": ("ctrl+u",)}
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["keymap.toml:3", "desk.zom = 'z'"],
        ["keymap.toml:4", "desk.pause"],
        ["keymap.toml:8", "act.fail-over = 'f'"],
        ["keymap.toml:9", "act.automatic"],
    ]


def test_a_file_that_cannot_be_read_leaves_the_usual_keys(file: Path) -> None:
    assert load_keymap(file, EVERY) == (Keymap({}), ())
    _, problems = _load(file, "desk.zoom = z\n")
    assert len(problems) == 1
    assert problems[0].startswith("keymap.toml: not TOML: ")
    assert "line 1" in problems[0]
    file.write_bytes(b"\xff\xfe")
    assert load_keymap(file, EVERY).problems == ("keymap.toml: it is no text: save it as UTF-8",)
    file.unlink()
    file.mkdir()
    assert "cannot be read" in load_keymap(file, EVERY).problems[0]


def test_a_change_keeps_every_comment_and_the_order(file: Path) -> None:
    text = '# mine\n[act]  # what acts\nfail-over = "f2"   # as at home\n\n# looking\n[desk]\nzoom = "z"\n'
    _load(file, text)
    write_keys(file, {"desk.pause": ["ctrl+s"], "act.fail-over": ["f3", "f4"]})
    changed = file.read_text()
    assert changed == text.replace('"f2"', '["f3", "f4"]') + 'pause = "ctrl+s"\n'
    write_keys(file, {"desk.pause": None, "act.fail-over": None, "page.back": None})
    assert file.read_text() == text.replace('fail-over = "f2"   # as at home\n', "")


def test_a_first_change_makes_a_file_that_is_read_again(file: Path) -> None:
    write_keys(file, {"desk.zoom": ["z"], "act.fail-over": ["F", "ctrl+o"], "desk.pause": ["ctrl+s"]})
    assert file.read_text().startswith("# Keys of your own")
    loaded = load_keymap(file, EVERY)
    assert loaded.problems == ()
    assert loaded.keymap.keys == {
        "desk.zoom": ("z",),
        "act.fail-over": ("F", "ctrl+o"),
        "desk.pause": ("ctrl+s",),
    }


def test_quoted_and_dotted_entries_are_changed_where_they_stand(file: Path) -> None:
    _load(file, '"desk.zoom" = "z"\ndesk.pause = "ctrl+s"\n')
    write_keys(file, {"desk.zoom": ["Z"], "desk.pause": ["ctrl+t"], "desk.undo": ["ctrl+u"]})
    assert load_keymap(file, EVERY).keymap.keys == {
        "desk.zoom": ("Z",),
        "desk.pause": ("ctrl+t",),
        "desk.undo": ("ctrl+u",),
    }
    assert file.read_text().startswith('"desk.zoom" = "Z"\ndesk.pause = "ctrl+t"\n')


def test_a_file_with_a_mistake_is_not_written_over(file: Path) -> None:
    _load(file, "desk.zoom = z\n")
    with pytest.raises(KeymapFileError, match="put that line right first"):
        write_keys(file, {"desk.zoom": ["z"]})
    assert file.read_text() == "desk.zoom = z\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link_and_its_mode_is_kept(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "dotfiles.toml"
    home.write_text("# shared\n")
    home.chmod(0o644)
    file.parent.mkdir()
    file.symlink_to(home)
    write_keys(file, {"desk.zoom": ["z"]})
    assert file.is_symlink()
    assert home.read_text() == '# shared\n\n[desk]\nzoom = "z"\n'
    assert stat.S_IMODE(home.stat().st_mode) == 0o644
