"""What one source's plan allows and costs: its meters, as the engine keeps them."""

import msgspec

from mds_engine.config.source_settings import SourceSettings
from mds_engine.control.snapshot import MeterView, MoneyView, PriceView
from mds_engine.policy.budget import CostMeter, CostRecord, Meter, MeterRecord, MeterSettings
from mds_engine.policy.money import Money
from mds_engine.policy.pace import PlanDay


class AccountRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an account keeps over a restart."""

    calls: MeterRecord
    cost: CostRecord


class Account:
    """Counts every request that is sent, against the plan's calls and in money."""

    __slots__ = ("_calls", "_cost", "limited", "matters", "paid", "price")

    def __init__(self, settings: SourceSettings, zone: str) -> None:
        """`zone` is the IANA time zone at whose midnight the vendor's day begins."""
        limit = settings.calls_per_day or None
        self.limited = limit is not None
        """Whether the plan counts calls."""
        self._calls = Meter(MeterSettings(what="calls", period="day", limit=limit, zone=zone))
        self._cost = CostMeter(
            Money.parse(settings.cost_per_call, settings.currency),
            Money.parse(settings.cost_per_month, settings.currency),
            zone,
        )
        self.paid = bool(Money.parse(settings.cost_per_call, settings.currency))
        """Whether each call costs money."""
        self.price = _price(settings)
        """What it charges, for the screen; None where nothing costs."""
        self.matters = self.limited or self.paid
        """Whether a call uses up anything that must not be forgotten."""

    def spend(self, wall: float) -> int:
        """Count one request. Returns the percent of a threshold that it crossed, 0 if none."""
        self._calls.spend(1, wall)
        self._cost.spend(1, wall)
        return self._calls.crossed() if self.limited else 0

    def take_back(self, wall: float) -> None:
        """Uncount one request that was counted, and then was not sent."""
        if self._calls.used(wall):
            self._calls.spend(-1, wall)
            self._cost.spend(-1, wall)

    def exhausted_until(self, wall: float) -> float | None:
        """Epoch seconds at which the plan starts anew if it is used up now, None if it is not."""
        if not self.limited or self._calls.left(wall):
            return None
        return self._calls.resets_at(wall)

    def day(self, wall: float) -> PlanDay | None:
        """What is left of the plan's day, None if it does not count calls."""
        limit, left = self._calls.settings.limit, self._calls.left(wall)
        if limit is None or left is None:
            return None
        return PlanDay(limit, left, self._calls.resets_at(wall) - wall)

    def use_up(self, wall: float) -> None:
        """The vendor says that the plan is used up, whatever we counted."""
        left = self._calls.left(wall)
        if left:
            self._calls.correct(self._calls.used(wall) + left, wall)

    def meters(self, wall: float) -> tuple[MeterView, ...]:
        """What is used, for the screen; nothing where the plan has no limit."""
        calls = self._calls
        if not self.limited:
            return ()
        return (
            MeterView(
                meter="calls",
                period="day",
                used=calls.used(wall),
                limit=calls.settings.limit,
                resets_at=calls.resets_at(wall),
                state=calls.state(wall).value,
                forecast=calls.forecast(wall),
                exhausted_in_s=calls.exhausted_in_s(wall),
            ),
        )

    def money(self, wall: float) -> tuple[MoneyView, ...]:
        """What it cost, for the screen; nothing where nothing costs."""
        today, month = self._cost.today(wall), self._cost.month(wall)
        if not today and not month:
            return ()
        return (MoneyView(currency=today.currency, today=today.text, month=month.text),)

    def dump(self) -> AccountRecord:
        """For the store."""
        return AccountRecord(calls=self._calls.dump(), cost=self._cost.dump())

    def restore(self, record: AccountRecord, wall: float) -> None:
        """From the store."""
        self._calls.restore(record.calls, wall)
        self._cost.restore(record.cost, wall)


def _price(settings: SourceSettings) -> PriceView | None:
    per_call = Money.parse(settings.cost_per_call, settings.currency)
    per_month = Money.parse(settings.cost_per_month, settings.currency)
    if not per_call and not per_month:
        return None
    return PriceView(currency=settings.currency, per_call=per_call.text, per_month=per_month.text)
