"""When Yahoo thinks that an exchange trades, on a market that may never close."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market
from mds_engine.simulator.yahoo.symbols import Symbol

_A_SUNDAY_NOON = 1_704_628_800.0
"""2024-01-07 12:00 UTC: whoever trades then has no hours."""


class Hours:
    """Trading periods of one symbol. If its market never closes, each day is one long session."""

    def __init__(self, market: Market, symbol: Symbol) -> None:
        self._symbol = symbol
        house = symbol.house
        self.never_closes = market.is_open(symbol.instrument, _A_SUNDAY_NOON)
        round_the_clock = self.never_closes and house.opens_s > 0
        self._regular = (0, DAY_S) if round_the_clock else (house.opens_s, house.closes_s)
        self._pre = 0 if round_the_clock else house.early_s
        self._post = DAY_S if round_the_clock else house.late_s

    @property
    def has_pre_and_post(self) -> bool:
        """True if there is a market before or after the regular one."""
        return self._pre < self._regular[0]

    @property
    def opening_s(self) -> int:
        """Opening in seconds after the exchange's midnight, as daily bars are stamped."""
        return 0 if self.never_closes else self._regular[0]

    def current(self, now: float) -> dict[str, dict[str, Any]]:
        """`currentTradingPeriod`: pre, regular and post of the day."""
        day = self._trading_day(self._symbol.local(now).date())
        opens, closes = self._regular
        return {
            "pre": self._period(day, self._pre, opens),
            "regular": self._period(day, opens, closes),
            "post": self._period(day, closes, self._post),
        }

    def regular_days(self, times: Iterable[int]) -> list[list[dict[str, Any]]]:
        """`tradingPeriods`: one regular session for each day on which there is a bar."""
        days = sorted({self._symbol.local(at).date() for at in times})
        return [[self._period(day, *self._regular)] for day in days]

    def _trading_day(self, day: date) -> date:
        while not self.never_closes and day.weekday() >= 5:
            day += timedelta(days=1)
        return day

    def _period(self, day: date, start_s: int, end_s: int) -> dict[str, Any]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._symbol.house.zone)
        return {
            "timezone": midnight.strftime("%Z"),
            "start": _at(midnight, start_s),
            "end": _at(midnight, end_s),
            "gmtoffset": self._symbol.utc_offset_s(midnight.timestamp()),
        }


def _at(midnight: datetime, seconds: int) -> int:
    # Wall-clock arithmetic: 09:30 is 09:30 on the days when clocks change, too.
    return int((midnight + timedelta(seconds=seconds)).timestamp())
