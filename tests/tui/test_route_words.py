"""A route's chain of sources: as many whole names as fit, be they three or hundreds."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.control.snapshot import EngineView, RouteView, Snapshot

from mds_tui.format.cells import text_of, width_of
from mds_tui.format.sight import Sight
from mds_tui.panes.routes import chain_cell

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=60, unique=True).map(
    tuple
)


def chain_of(names: tuple[str, ...], active: str | None, width: int) -> tuple[str, int]:
    route = RouteView(
        key="NSE/quote",
        exchange="NSE",
        capability="quote",
        sources=names,
        active=active,
        degraded=active != names[0],
    )
    snapshot = Snapshot(at=0.0, engine=EngineView(name="e", started_at=0.0, uptime_s=0.0), routes=(route,))
    cell = chain_cell(route, Sight(snapshot), width)
    return text_of(cell), width_of(cell)


@given(names=NAMES, width=st.integers(20, 120), data=st.data())
def test_as_many_names_are_shown_as_fit(names, width, data):
    active = data.draw(st.sampled_from(names))
    text, wide = chain_of(names, active, width)
    chain, _, hidden = text.partition(" +")
    shown = [name.strip("▲ ") for name in chain.split("▸")]
    assert wide <= width
    assert active in shown
    assert len(shown) + int(hidden or 0) == len(names)
    others = [name for name in names if name != active]
    assert [name for name in shown if name != active] == others[: len(shown) - 1], "the first in line"
    more = others[: len(shown)]
    if hidden:
        order = [name for name in names if name == active or name in more]
        longer = "▸".join(f"▲{name}" if name == active else name for name in order)
        left = int(hidden) - 1
        assert len(longer) + (len(f" +{left}") if left else 0) > width, "one more would have fitted"


def test_two_hundred_sources_cost_no_more_than_what_is_shown() -> None:
    names = tuple(f"source-{number:03}" for number in range(200))
    text, _ = chain_of(names, "source-000", 60)
    assert text == "▲source-000▸source-001▸source-002▸source-003▸source-004 +195"
