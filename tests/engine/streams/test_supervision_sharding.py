"""Instruments over the connections of one source: within its limits, stable, on no more than needed."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.model import Instrument
from mds_engine.sources.contract import StreamLimits
from mds_engine.streams.sharding import share_out

wishes = st.frozensets(st.sampled_from("ABCDEFGHIJKL").map(lambda symbol: Instrument("X", symbol)))
limits = st.builds(StreamLimits, instruments=st.none() | st.integers(1, 5), connections=st.integers(1, 4))


def some(symbols: str) -> frozenset[Instrument]:
    return frozenset(Instrument("X", symbol) for symbol in symbols)


def test_a_connection_is_filled_before_another_is_opened() -> None:
    shares = share_out(some("ABCDE"), [], StreamLimits(2, 3))
    assert shares.carried == (some("AB"), some("CD"), some("E"))
    assert shares.beyond == some("")


def test_what_exceeds_all_connections_is_named_and_the_rest_is_carried() -> None:
    shares = share_out(some("ABCDE"), [], StreamLimits(2, 2))
    assert (shares.carried, shares.beyond) == ((some("AB"), some("CD")), some("E"))


def test_what_was_beyond_takes_the_place_of_what_is_wanted_no_more() -> None:
    shares = share_out(some("ACDE"), [some("AB"), some("CD")], StreamLimits(2, 2))
    assert (shares.carried, shares.beyond) == ((some("AE"), some("CD")), some(""))


def test_without_limits_one_connection_carries_all() -> None:
    assert share_out(some("ABCDEF"), [], StreamLimits()).carried == (some("ABCDEF"),)


@given(st.lists(wishes, min_size=1, max_size=12), limits)
def test_any_wishes_in_any_order(all_wishes: list[frozenset[Instrument]], bounds: StreamLimits) -> None:
    before: tuple[frozenset[Instrument], ...] = ()
    for wanted in all_wishes:
        carried, beyond = share_out(wanted, before, bounds)
        most = bounds.instruments or len(wanted)
        assert sum(map(len, carried)) + len(beyond) == len(wanted)
        assert beyond.union(*carried) == wanted, "each wish is carried once, or named"
        assert len(carried) <= max(bounds.connections or 1, 1)
        assert all(len(held) <= most for held in carried)
        for place, held in enumerate(before):
            assert held & wanted <= carried[place], "nothing moves while it is wanted"
        if beyond:
            assert all(len(held) == most for held in carried)
            assert len(carried) == bounds.connections
        opened = [
            held
            for place, held in enumerate(carried)
            if held and not (place < len(before) and before[place] & wanted)
        ]
        if opened:
            kept = [held for place, held in enumerate(carried) if held not in opened]
            assert all(len(held) == most for held in kept if held), "the ones in use were full"
            assert sum(len(held) < most for held in opened) <= 1
        before = carried
