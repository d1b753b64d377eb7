"""What the console says about live streams: who delivers, who stands by, how far they are apart."""

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.snapshot import SourcePrice, StreamView

from mds_tui.details.others import instrument_lines
from mds_tui.details.source import source_lines
from mds_tui.details.trail import Trail
from mds_tui.format.cells import text_of
from mds_tui.format.sight import Sight
from mds_tui.panes.watch import WatchPane

DOUBT = "12.0 bps above yahoo, usually within 2.1"


@pytest.fixture
def doubted(snapshot: Snapshot) -> Snapshot:
    """NIFTY comes from kite, which looks wrong beside yahoo."""
    first, *others = snapshot.watch
    prices = (
        SourcePrice(source="kite", price=24812.35, age_s=0.2),
        SourcePrice(source="yahoo", price=24782.58, age_s=1.4),
    )
    row = msgspec.structs.replace(first, spread_bps=12.0, doubt=DOUBT, prices=prices)
    return msgspec.structs.replace(snapshot, watch=(row, *others))


def _cells(snapshot: Snapshot, instrument: str) -> dict[str, str]:
    row = next(row for row in snapshot.watch if row.instrument == instrument)
    sight = Sight(snapshot)
    return {column.name: text_of(column.cell(row, sight, 30)) for column in WatchPane.columns}


def test_the_watch_pane_shows_how_far_the_sources_are_apart(doubted: Snapshot) -> None:
    cells = _cells(doubted, "NSE:NIFTY 50")
    assert cells["spread bps"] == "12.0"
    assert cells["source"] == "! kite"
    assert _cells(doubted, "NSE:RELIANCE")["spread bps"] == "–"


def test_the_instrument_page_lays_its_sources_side_by_side(doubted: Snapshot) -> None:
    lines = [text_of(line).rstrip() for line in instrument_lines("NSE:NIFTY 50", Trail(), Sight(doubted), 80)]
    assert f"doubt         kite looks wrong: {DOUBT}" in lines
    start = lines.index("at its sources, 12.0 bps apart")
    assert [line.split() for line in lines[start + 1 : start + 4]] == [
        ["last", "bps", "age"],
        ["kite", "24,812.35", "–", "0.2s", "shown"],
        ["yahoo", "24,782.58", "-12.0", "1.4s", "held", "back"],
    ]


def test_the_source_page_tells_of_its_live_stream(snapshot: Snapshot) -> None:
    stream = StreamView(
        connections=2,
        instruments=812,
        delivers=800,
        held=4100,
        mute=3,
        looked_wrong={"price": 2, "frozen": 1},
    )
    sources = tuple(
        msgspec.structs.replace(source, stream=stream) if source.name == "binance" else source
        for source in snapshot.sources
    )
    sight = Sight(msgspec.structs.replace(snapshot, sources=sources))
    text = " ".join(" ".join(text_of(line).split()) for line in source_lines("binance", (), sight, 80))
    assert "live stream 812 instruments on 2 connections, delivers 800, stands by for 12" in text
    assert "with 4,100 ticks at hand" in text
    assert "mute 3 instruments do not tick" in text
    assert "looked wrong frozen 1 times, price 2 times" in text
    assert "live stream" not in " ".join(text_of(line) for line in source_lines("kite", (), sight, 80))


def test_the_source_page_tells_when_a_polled_source_is_asked_next(snapshot: Snapshot) -> None:
    stream = StreamView(connections=1, instruments=1, delivers=1, next_poll_s=192.4)
    sources = tuple(
        msgspec.structs.replace(source, stream=stream) if source.name == "alphavantage" else source
        for source in snapshot.sources
    )
    sight = Sight(msgspec.structs.replace(snapshot, sources=sources))
    lines = [" ".join(text_of(line).split()) for line in source_lines("alphavantage", (), sight, 80)]
    assert "polled 1 instrument, next in 3 min 12 s" in lines
