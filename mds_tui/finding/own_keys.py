"""The operator's own keys, put to use."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mds_tui.finding.catalogue import all_actions
from mds_tui.finding.keymap_file import Loaded, load_keymap

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_MOST_TOLD = 2


def take_keymap(console: "ConsoleApp", file: Path) -> Loaded:
    """Read the file and use what can be used of it."""
    loaded = load_keymap(file, all_actions())
    use_keys(console, loaded.keymap.keys)
    return loaded


def use_keys(console: "ConsoleApp", keys: Mapping[str, Sequence[str]]) -> None:
    """Use these keys, which were checked, instead of the usual ones of their actions."""
    console.set_keymap({name: ",".join(chosen) for name, chosen in keys.items()})


def own_keys(console: "ConsoleApp") -> Mapping[str, Sequence[str]]:
    """Those that are in use instead of the usual ones, by id of the action."""
    return {name: keys.split(",") for name, keys in console._keymap.items()}  # noqa: SLF001 - Textual tells no other way


def tell_problems(console: "ConsoleApp", problems: Sequence[str]) -> None:
    """The first of them; the others stand in the list of keys."""
    for problem in problems[:_MOST_TOLD]:
        console.notify(problem, title="keys", severity="warning", timeout=10)
    if len(problems) > _MOST_TOLD:
        console.notify(
            f"and {len(problems) - _MOST_TOLD} more: see :keymap", title="keys", severity="warning"
        )
