"""What a reader got, told by the numbers and times of the ticks alone."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.drills.live.tick_accounts import TickAccounts
from mds_engine.model import Gap, Instrument, Missed, SourceSwitched, Tick, TickFlag, TickKind

ONE, TWO = Instrument("X", "ONE"), Instrument("X", "TWO")


def _accounts(
    lively: frozenset[Instrument] = frozenset(), vendors: dict[str, str] | None = None
) -> TickAccounts:
    return TickAccounts(lively, "a", 0.0, lambda source: (vendors or {}).get(source, source))


def _trade(number: int, instrument: Instrument = ONE, **more: object) -> Tick:
    return Tick(instrument=instrument, kind=TickKind.TRADE, price=1.0, sequence=number, source="a", **more)


def _picture(time_ns: int, price: float = 1.0) -> Tick:
    return Tick(instrument=ONE, kind=TickKind.QUOTE, price=price, time_ns=time_ns, source="a")


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_each_number_that_is_left_out_is_lost(kept: list[bool]) -> None:
    accounts = _accounts()
    numbers = [number for number, keep in enumerate(kept) if keep]
    for number in numbers:
        accounts.put(_trade(number), 1.0)
    account = accounts.take(1.0)
    between = kept[numbers[0] : numbers[-1]] if numbers else []
    assert account.lost == (between.count(False) if numbers else None)
    assert (account.ticks, account.doubled, account.disordered) == (len(numbers), 0, 0)


@given(st.permutations(range(8)))
def test_what_comes_after_a_later_one_is_out_of_order(numbers: list[int]) -> None:
    accounts = _accounts()
    for number in numbers:
        accounts.put(_trade(number), 1.0)
    late = sum(number < max(numbers[: place + 1]) for place, number in enumerate(numbers))
    assert accounts.take(1.0).disordered == late


def test_a_number_that_was_seen_is_doubled() -> None:
    accounts = _accounts()
    for number in (1, 2, 2, 1, 3):
        accounts.put(_trade(number), 1.0)
    assert (accounts.take(1.0).doubled, accounts.take(1.0).lost) == (2, 0)


def test_what_was_told_as_a_gap_is_not_lost() -> None:
    accounts = _accounts()
    accounts.put(_trade(1), 1.0)
    accounts.put(
        Gap(
            instrument=ONE,
            source="a",
            first_sequence=2,
            last_sequence=4,
            after_ns=10_000_000_000,
            before_ns=12_500_000_000,
        ),
        1.0,
    )
    accounts.put(_trade(5), 1.0)
    account = accounts.take(1.0)
    assert (account.lost, account.gaps, account.gap_s) == (0, 1, 2.5)


def test_numbers_go_on_over_a_switch_between_accounts_of_one_vendor_only() -> None:
    for vendors, lost in (({"a": "v", "b": "v"}, 2), ({"a": "v", "b": "w"}, 0)):
        accounts = _accounts(vendors=vendors)
        accounts.put(_trade(1), 1.0)
        accounts.put(SourceSwitched(instrument=ONE, before="a", after="b"), 1.0)
        accounts.put(_trade(4), 1.0)
        assert accounts.take(1.0).lost == lost


def test_what_the_reader_itself_missed_is_nobodys_loss() -> None:
    accounts = _accounts()
    accounts.put(_trade(1), 1.0)
    accounts.put(Missed(ticks=7), 1.0)
    accounts.put(_trade(9), 1.0)
    assert (accounts.take(1.0).lost, accounts.take(1.0).missed) == (0, 7)


def test_pictures_are_told_apart_by_their_times_and_what_they_say() -> None:
    accounts = _accounts()
    for tick in (_picture(1), _picture(1, 2.0), _picture(2, 2.0), _picture(2, 2.0), _picture(1)):
        accounts.put(tick, 1.0)
    account = accounts.take(1.0)
    assert (account.lost, account.doubled, account.disordered) == (None, 1, 1)


def test_only_flagged_prices_of_the_target_count_as_bent() -> None:
    accounts = _accounts()
    accounts.put(_trade(1, flags=int(TickFlag.SUSPECT)), 1.0)
    accounts.put(_trade(2), 1.0)
    accounts.put(
        Tick(instrument=ONE, kind=TickKind.TRADE, price=1.0, source="b", flags=int(TickFlag.SUSPECT)), 1.0
    )
    assert accounts.take(1.0).bent == 1


def test_only_the_silence_of_who_was_lively_counts_and_only_until_it_is_stopped() -> None:
    accounts = _accounts(frozenset({ONE}))
    accounts.put(_trade(1, TWO), 1.0)
    assert accounts.take(3.0).silence_s == 3.0
    accounts.put(_trade(1), 4.0)
    assert accounts.take(5.0).silence_s == 4.0
    accounts.stop_silence(6.0)
    assert accounts.take(60.0).silence_s == 4.0
    assert _accounts().take(9.0).silence_s is None
