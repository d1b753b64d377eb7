"""What is used of a plan, and what it costs, counted over the vendor's own days and months.

Times are epoch seconds UTC, because quotas and bills follow the calendar. A
clock that is put back a little stays in the period that it was in.
"""

from calendar import monthrange
from enum import StrEnum
from typing import Literal

import msgspec

from mds_engine.policy.money import Money
from mds_engine.policy.periods import Period, bounds, day_of, zone_named

__all__ = ["CostMeter", "CostRecord", "Meter", "MeterRecord", "MeterSettings", "MeterState"]

# The rate for forecasts is taken over the last one to two of these.
_RATE_SLICE_S: dict[Period, float] = {"minute": 5.0, "day": 3600.0, "month": 86400.0}


class MeterState(StrEnum):
    """How much of a quota is used."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    EXHAUSTED = "exhausted"


class MeterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quota of one source."""

    what: Literal["calls", "weight", "credits"] = "calls"
    """What is counted."""
    period: Period = "day"
    """How long it is counted before it starts from 0: `minute`, `day` or `month`."""
    limit: int | None = None
    """What the plan allows in one period; unset: it is counted, but never used up."""
    zone: str = "UTC"
    """IANA time zone at whose midnight the vendor's days and months begin."""
    warning_percent: int = 80
    """Percent of the limit from which on it warns."""
    critical_percent: int = 95
    """Percent of the limit from which on it is critical."""

    def __post_init__(self) -> None:
        """Refuse what no meter could count."""
        if self.limit is not None and self.limit < 1:
            raise ValueError("limit must be at least 1; leave it out if there is none")
        if not 0 < self.warning_percent <= self.critical_percent <= 100:
            raise ValueError("warning_percent must be above 0, critical_percent not below it, nor above 100")
        zone_named(self.zone)


class MeterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter keeps over a restart."""

    what: str
    period: str
    used: int
    resets_at: float
    """End of the period that it was used in, epoch seconds UTC; 0 if it was never asked anything."""
    told_percent: int = 0
    """The highest threshold that was told in that period."""


class Meter:
    """Counts one quota of one source."""

    __slots__ = (
        "_ends_at",
        "_look_again_at",
        "_marked_at",
        "_marked_total",
        "_next_threshold",
        "_older_at",
        "_older_total",
        "_steady_from",
        "_thresholds",
        "_told_percent",
        "_total_before",
        "_used",
        "_zone",
        "settings",
    )

    def __init__(self, settings: MeterSettings) -> None:
        self.settings = settings
        self._zone = zone_named(settings.zone)
        self._thresholds: tuple[tuple[int, int], ...] = ()  # (used, percent), rising
        if settings.limit is not None:
            percents = (settings.warning_percent, settings.critical_percent, 100)
            self._thresholds = tuple((-(-settings.limit * percent // 100), percent) for percent in percents)
        self._used = 0
        self._told_percent = 0
        self._next_threshold = self._untold_threshold()
        self._ends_at = 0.0
        self._steady_from = 0.0
        self._look_again_at = 0.0
        # All that was spent since it was made is _total_before + _used, whatever period or correction came.
        self._total_before = 0
        self._marked_at = self._older_at = 0.0
        self._marked_total = self._older_total = 0

    # --- Counting -------------------------------------------------------------------------------------

    def spend(self, amount: int, wall: float) -> None:
        """Count `amount` as used now. It is counted even beyond the limit: what was sent was sent."""
        if not self._steady_from <= wall < self._look_again_at:
            self._look(wall)
        self._used += amount

    def correct(self, used: int, wall: float) -> None:
        """Take over the vendor's own count of this period. It tells nothing of how fast it is used."""
        self._settle(wall)
        self._total_before += self._used - used
        self._used = used

    def crossed(self) -> int:
        """Return the highest threshold, in percent, passed since this was last asked; 0 if none was.

        Each is told once a period, and not again after a restart.
        """
        if self._used < self._next_threshold:
            return 0
        self._told_percent = max(percent for used, percent in self._thresholds if used <= self._used)
        self._next_threshold = self._untold_threshold()
        return self._told_percent

    # --- What can be seen -----------------------------------------------------------------------------

    def used(self, wall: float) -> int:
        """Used in this period."""
        self._settle(wall)
        return self._used

    def left(self, wall: float) -> int | None:
        """What may still be used in this period, at least 0; None if there is no limit."""
        limit = self.settings.limit
        return None if limit is None else max(0, limit - self.used(wall))

    def state(self, wall: float) -> MeterState:
        """How much of the limit is used; `ok` if there is none."""
        used, settings = self.used(wall), self.settings
        if settings.limit is None:
            return MeterState.OK
        if used >= settings.limit:
            return MeterState.EXHAUSTED
        if used * 100 >= settings.limit * settings.critical_percent:
            return MeterState.CRITICAL
        if used * 100 >= settings.limit * settings.warning_percent:
            return MeterState.WARNING
        return MeterState.OK

    def resets_at(self, wall: float) -> float:
        """When it starts from 0: the vendor's next minute, midnight, or first of the month."""
        self._settle(wall)
        return self._ends_at

    def forecast(self, wall: float) -> float | None:
        """Use at the reset if it goes on as lately; None until it has been counted for a while."""
        self._settle(wall)
        rate = self._rate(wall)
        return None if rate is None else self._used + rate * max(0.0, self._ends_at - wall)

    def exhausted_in_s(self, wall: float) -> float | None:
        """Seconds until nothing is left if it goes on as lately; None if that is not before the reset."""
        left = self.left(wall)
        if left is None:
            return None
        if not left:
            return 0.0
        rate = self._rate(wall)
        if not rate or wall + left / rate >= self._ends_at:
            return None
        return left / rate

    # --- Restarts -------------------------------------------------------------------------------------

    def dump(self) -> MeterRecord:
        """Return what has to survive a restart."""
        return MeterRecord(
            what=self.settings.what,
            period=self.settings.period,
            used=self._used,
            resets_at=self._ends_at,
            told_percent=self._told_percent,
        )

    def restore(self, record: MeterRecord, wall: float) -> None:
        """Add what was used before a restart; a record of another quota or an earlier period adds nothing."""
        self._settle(wall)
        settings = self.settings
        if record.what != settings.what or record.period != settings.period or record.resets_at <= wall:
            return
        self._total_before -= record.used
        self._used += record.used
        self._told_percent = max(self._told_percent, record.told_percent)
        self._next_threshold = self._untold_threshold()

    # --- Periods and rates ----------------------------------------------------------------------------

    def _settle(self, wall: float) -> None:
        if not self._steady_from <= wall < self._look_again_at:
            self._look(wall)

    def _look(self, wall: float) -> None:
        """Begin a new period if the last is over, and a new slice of the rate."""
        if not self._steady_from <= wall < self._ends_at:
            start, self._ends_at = bounds(self.settings.period, self._zone, wall)
            self._steady_from = start - (self._ends_at - start)
            self._total_before += self._used
            self._used = 0
            self._told_percent = 0
            self._next_threshold = self._untold_threshold()
        slice_s = _RATE_SLICE_S[self.settings.period]
        total = self._total_before + self._used
        since_s = wall - self._marked_at
        if not self._marked_at or since_s < 0:
            self._marked_at, self._marked_total = self._older_at, self._older_total = wall, total
        elif since_s >= slice_s:
            # Spending would have set a mark: nothing was spent between the marked slice and now.
            idle = since_s >= 2 * slice_s
            self._older_at = wall - slice_s if idle else self._marked_at
            self._older_total = total if idle else self._marked_total
            self._marked_at, self._marked_total = wall, total
        self._look_again_at = min(self._ends_at, self._marked_at + slice_s)

    def _rate(self, wall: float) -> float | None:
        """Used per second lately; None while that is a guess."""
        elapsed_s = wall - self._older_at
        if elapsed_s < _RATE_SLICE_S[self.settings.period] / 10:
            return None
        return (self._total_before + self._used - self._older_total) / elapsed_s

    def _untold_threshold(self) -> float:
        untold = (used for used, percent in self._thresholds if percent > self._told_percent)
        return next(untold, float("inf"))


class CostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a cost meter keeps over a restart. Amounts are millionths of the currency's unit."""

    currency: str
    today_micros: int
    """For calls since the day began."""
    earlier_micros: int
    """For calls of this month's earlier days."""
    day_ends_at: float
    """Epoch seconds UTC; 0 if it was never asked anything."""
    month_ends_at: float
    """Epoch seconds UTC."""


class CostMeter:
    """Adds up what one source costs, by the call and by the month.

    The month's fixed price is owed in full from the month's first day, so the
    month shows all of it. A day bears its equal part of it from midnight on;
    the parts of a month's days add up to the price to the last millionth.
    """

    __slots__ = (
        "_day_ends_at",
        "_day_part",
        "_earlier",
        "_month_ends_at",
        "_per_call",
        "_steady_from",
        "_today",
        "_zone",
        "per_call",
        "per_month",
    )

    def __init__(self, per_call: Money, per_month: Money, zone: str = "UTC") -> None:
        """Take prices in one currency, and the zone whose days and months are billed."""
        if per_call.currency != per_month.currency:
            raise ValueError("a source is paid in one currency")
        self.per_call = per_call
        self.per_month = per_month
        self._per_call = per_call.micros
        self._zone = zone_named(zone)
        self._today = 0
        self._earlier = 0
        self._day_part = 0
        self._steady_from = 0.0
        self._day_ends_at = 0.0
        self._month_ends_at = 0.0

    def spend(self, calls: int, wall: float) -> None:
        """Count so many calls."""
        if not self._steady_from <= wall < self._day_ends_at:
            self._begin_day(wall)
        self._today += self._per_call * calls

    def today(self, wall: float) -> Money:
        """Today's calls, and today's part of the month's fixed price."""
        self._settle(wall)
        return Money(self._day_part + self._today, self.per_call.currency)

    def month(self, wall: float) -> Money:
        """This month's calls, and the whole of its fixed price."""
        self._settle(wall)
        return Money(self.per_month.micros + self._earlier + self._today, self.per_call.currency)

    def dump(self) -> CostRecord:
        """Return what has to survive a restart."""
        return CostRecord(
            currency=self.per_call.currency,
            today_micros=self._today,
            earlier_micros=self._earlier,
            day_ends_at=self._day_ends_at,
            month_ends_at=self._month_ends_at,
        )

    def restore(self, record: CostRecord, wall: float) -> None:
        """Add what was spent before a restart, as far as it is of this month and in this currency."""
        self._settle(wall)
        if record.currency != self.per_call.currency or record.month_ends_at <= wall:
            return
        self._earlier += record.earlier_micros
        if record.day_ends_at > wall:
            self._today += record.today_micros
        else:
            self._earlier += record.today_micros

    def _settle(self, wall: float) -> None:
        if not self._steady_from <= wall < self._day_ends_at:
            self._begin_day(wall)

    def _begin_day(self, wall: float) -> None:
        start, self._day_ends_at = bounds("day", self._zone, wall)
        self._steady_from = start - (self._day_ends_at - start)
        _, month_ends_at = bounds("month", self._zone, wall)
        same_month = month_ends_at == self._month_ends_at
        self._earlier = self._earlier + self._today if same_month else 0
        self._month_ends_at = month_ends_at
        self._today = 0
        day = day_of(self._zone, wall)
        days = monthrange(day.year, day.month)[1]
        price = self.per_month.micros
        self._day_part = price * day.day // days - price * (day.day - 1) // days
