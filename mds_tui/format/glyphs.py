"""The few signs of the console, and what stands for them on terminals that draw them badly."""

from typing import NamedTuple

from mds_engine.control.snapshot import SourceState

from mds_tui.format.cells import Ink


class Glyphs(NamedTuple):
    """One set of signs; each takes one column."""

    active: str = "▲"
    ready: str = "◆"
    trying: str = "◐"
    out: str = "✖"
    disabled: str = "⏸"
    login: str = "⚿"
    forced: str = "⚑"
    live: str = "●"
    arrow: str = "▸"
    moved: str = "⇄"
    back: str = "↩"
    good: str = "✔"
    cursor: str = "▎"
    passed: str = "·"
    failed: str = "×"
    bar_full: str = "▰"
    bar_empty: str = "▱"
    line_full: str = "━"
    line_empty: str = "━"
    ladder: str = "▁▂▃▄▅▆▇█"
    separator: str = "│"
    more: str = "…"
    above: str = "▲"
    below: str = "▼"
    dot: str = "·"
    warning: str = "!"
    nothing: str = "–"


UNICODE = Glyphs()
ASCII = Glyphs(
    active="^",
    ready="*",
    trying="?",
    out="x",
    disabled="=",
    login="#",
    forced="!",
    live="o",
    arrow=">",
    moved=">",
    back="<",
    good="+",
    cursor=">",
    passed=".",
    failed="x",
    bar_full="#",
    bar_empty=".",
    line_full="#",
    line_empty=".",
    ladder="_.-:=+*#",
    separator="|",
    more="~",
    above="^",
    below="v",
    dot="-",
    warning="!",
    nothing="-",
)


def state_glyph(state: SourceState, glyphs: Glyphs) -> str:
    """The sign of a source's state."""
    return {
        SourceState.ACTIVE: glyphs.active,
        SourceState.READY: glyphs.ready,
        SourceState.TRYING: glyphs.trying,
        SourceState.OUT: glyphs.out,
        SourceState.DISABLED: glyphs.disabled,
        SourceState.LOGIN: glyphs.login,
        SourceState.FORCED: glyphs.active,
    }[state]


def state_ink(state: SourceState) -> Ink:
    """The colour role of a source's state."""
    return {
        SourceState.ACTIVE: Ink.GOOD,
        SourceState.READY: Ink.INFO,
        SourceState.TRYING: Ink.WARN,
        SourceState.OUT: Ink.BAD,
        SourceState.DISABLED: Ink.DIM,
        SourceState.LOGIN: Ink.WARN,
        SourceState.FORCED: Ink.FORCED,
    }[state]
