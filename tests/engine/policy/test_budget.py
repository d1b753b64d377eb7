"""Quotas and costs: counted over the vendor's days, told once, kept over restarts."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mds_engine.policy.budget import CostMeter, CostRecord, Meter, MeterRecord, MeterSettings
from mds_engine.policy.money import Money
from mds_engine.policy.periods import bounds, day_of, zone_named

KOLKATA = "Asia/Kolkata"
NEW_YORK = "America/New_York"


def at(text: str, zone: str = "UTC") -> float:
    """Epoch seconds of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


ZONES = (
    NEW_YORK,
    KOLKATA,
    "UTC",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
NOON = at("2026-03-10T12:00", KOLKATA)


def daily(limit: int | None = 100, zone: str = KOLKATA) -> Meter:
    return Meter(MeterSettings(limit=limit, zone=zone))


# --- Quotas -------------------------------------------------------------------------------------------


def test_what_is_spent_is_no_longer_left() -> None:
    meter = daily()
    meter.spend(30, NOON)
    meter.spend(5, NOON + 60)
    assert (meter.used(NOON + 60), meter.left(NOON + 60)) == (35, 65)
    meter.spend(80, NOON + 61)
    assert (meter.used(NOON + 61), meter.left(NOON + 61)) == (115, 0)


def test_it_starts_from_nothing_at_the_vendors_midnight() -> None:
    meter = daily()
    meter.spend(100, NOON)
    midnight = at("2026-03-11T00:00", KOLKATA)
    assert meter.resets_at(NOON) == midnight
    assert (meter.state(midnight - 1), meter.left(midnight - 1)) == ("exhausted", 0)
    assert (meter.state(midnight), meter.left(midnight)) == ("ok", 100)
    meter.spend(1, midnight)
    assert meter.used(midnight) == 1


@pytest.mark.parametrize(
    ("used", "state"),
    [
        (0, "ok"),
        (79, "ok"),
        (80, "warning"),
        (94, "warning"),
        (95, "critical"),
        (99, "critical"),
        (100, "exhausted"),
        (101, "exhausted"),
    ],
)
def test_its_state_tells_how_much_is_used(used: int, state: str) -> None:
    meter = daily()
    meter.spend(used, NOON)
    assert meter.state(NOON) == state


def test_each_threshold_is_told_once_a_period() -> None:
    meter = daily(limit=20)
    told = []
    for call in range(22):
        meter.spend(1, NOON + call)
        told.append(meter.crossed())
    assert told == [0] * 15 + [80, 0, 0, 95, 100, 0, 0]
    meter.spend(17, NOON + 86400)
    assert [meter.crossed(), meter.crossed()] == [80, 0]


def test_a_leap_over_several_thresholds_tells_the_highest() -> None:
    meter = daily()
    meter.spend(97, NOON)
    assert [meter.crossed(), meter.crossed()] == [95, 0]


def test_without_a_limit_it_only_counts() -> None:
    meter = daily(limit=None)
    meter.spend(10**9, NOON)
    assert (meter.used(NOON), meter.left(NOON), meter.state(NOON)) == (10**9, None, "ok")
    assert (meter.crossed(), meter.exhausted_in_s(NOON)) == (0, None)


def test_the_vendors_own_count_takes_the_place_of_ours() -> None:
    meter = daily()
    meter.spend(10, NOON)
    meter.correct(85, NOON)
    assert (meter.left(NOON), meter.state(NOON), meter.crossed()) == (15, "warning", 80)
    meter.correct(40, NOON)
    assert (meter.left(NOON), meter.state(NOON)) == (60, "ok")
    meter.correct(90, NOON)
    assert meter.crossed() == 0


@pytest.mark.parametrize(
    ("now", "resets"),
    [
        ("2026-03-07T23:59", "2026-03-08T00:00"),
        ("2026-03-08T12:00", "2026-03-09T00:00"),  # 23 hours: clocks go forward
        ("2026-11-01T12:00", "2026-11-02T00:00"),  # 25 hours: clocks go back
    ],
)
def test_a_day_ends_at_midnight_whatever_the_clocks_do(now: str, resets: str) -> None:
    assert daily(zone=NEW_YORK).resets_at(at(now, NEW_YORK)) == at(resets, NEW_YORK)


def test_the_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    zone = zone_named(NEW_YORK)
    for day, hours in (("2026-03-08", 23), ("2026-03-09", 24), ("2026-11-01", 25)):
        start, end = bounds("day", zone, at(f"{day}T12:00", NEW_YORK))
        assert (end - start) / 3600 == hours


def test_months_and_minutes_are_the_calendars_own() -> None:
    monthly = Meter(MeterSettings(period="month", zone=NEW_YORK))
    assert monthly.resets_at(at("2026-12-31T23:59", NEW_YORK)) == at("2027-01-01T00:00", NEW_YORK)
    assert monthly.resets_at(at("2028-02-01T00:00", NEW_YORK)) == at("2028-03-01T00:00", NEW_YORK)
    minutely = Meter(MeterSettings(period="minute"))
    assert minutely.resets_at(at("2026-03-10T12:00:59")) == at("2026-03-10T12:01")
    assert minutely.resets_at(at("2026-03-10T12:01:00")) == at("2026-03-10T12:02")


@pytest.mark.parametrize(
    ("zone", "wall", "day"),
    [
        # Clocks put back over midnight: yesterday's date is shown again for an hour.
        ("America/St_Johns", at("2010-11-07T00:00", "America/St_Johns") + 600, date(2010, 11, 7)),
        # A midnight that does not exist.
        ("America/Sao_Paulo", at("2018-11-04T01:00", "America/Sao_Paulo"), date(2018, 11, 4)),
        # A day that does not exist: Friday 30 December 2011.
        ("Pacific/Apia", at("2011-12-31T00:00", "Pacific/Apia"), date(2011, 12, 31)),
    ],
)
def test_days_that_begin_oddly_are_whole(zone: str, wall: float, day: date) -> None:
    assert day_of(zone_named(zone), wall) == day


@example("day", "UTC", 2051222399.9999998)
@given(
    st.sampled_from(["minute", "day", "month"]),
    st.sampled_from(ZONES),
    st.floats(at("2005-01-01T00:00"), at("2035-01-01T00:00")),
)
def test_periods_follow_each_other_without_a_gap(period: str, zone: str, wall: float) -> None:
    zoned = zone_named(zone)
    start, end = bounds(period, zoned, wall)
    assert start <= wall < end
    assert bounds(period, zoned, start) == (start, end)
    assert bounds(period, zoned, end - 1.0) == (start, end)
    assert bounds(period, zoned, end)[0] == end


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 50_000.0), st.sampled_from(["spend", "correct", "restart"]), st.integers(0, 60)
        ),
        max_size=50,
    )
)
def test_it_agrees_with_a_ledger(steps: list[tuple[float, str, int]]) -> None:
    meter, wall = daily(), NOON
    ledger: dict[date, int] = {}
    told: dict[date, list[int]] = {}
    for wait_s, what, amount in steps:
        wall += wait_s
        day = datetime.fromtimestamp(wall, ZoneInfo(KOLKATA)).date()
        if what == "spend":
            meter.spend(amount, wall)
            ledger[day] = ledger.get(day, 0) + amount
        elif what == "correct":
            meter.correct(amount, wall)
            ledger[day] = amount
        else:
            record = msgspec.json.decode(msgspec.json.encode(meter.dump()), type=MeterRecord)
            meter = daily()
            meter.restore(record, wall)
        if percent := meter.crossed():
            told.setdefault(day, []).append(percent)
        assert meter.used(wall) == ledger.get(day, 0)
        assert meter.left(wall) == max(0, 100 - ledger.get(day, 0))
    assert all(percents == sorted(set(percents)) for percents in told.values())


def test_a_record_of_an_earlier_day_restores_to_nothing() -> None:
    meter = daily()
    meter.spend(70, NOON)
    record = meter.dump()
    same_day, next_day = daily(), daily()
    same_day.restore(record, NOON + 3600)
    next_day.restore(record, NOON + 86400)
    assert (same_day.used(NOON + 3600), next_day.used(NOON + 86400)) == (70, 0)


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    meter = daily()
    meter.spend(85, NOON)
    assert meter.crossed() == 80
    again = daily()
    again.restore(meter.dump(), NOON)
    assert again.crossed() == 0
    again.spend(10, NOON)
    assert again.crossed() == 95


def test_a_record_of_another_quota_restores_to_nothing() -> None:
    weights = Meter(MeterSettings(what="weight", zone=KOLKATA))
    weights.spend(70, NOON)
    meter = daily()
    meter.restore(weights.dump(), NOON)
    assert meter.used(NOON) == 0


def test_a_record_of_a_meter_that_was_never_asked_can_be_kept() -> None:
    meter = daily()
    meter.restore(msgspec.json.decode(msgspec.json.encode(daily().dump()), type=MeterRecord), NOON)
    assert meter.used(NOON) == 0


def test_a_clock_put_back_a_little_stays_in_its_day() -> None:
    midnight = at("2026-03-11T00:00", KOLKATA)
    meter = daily()
    meter.spend(90, NOON)
    meter.spend(10, midnight + 1)
    assert meter.used(midnight - 1) == 10
    assert meter.used(midnight + 2) == 10


def test_the_forecast_goes_on_as_lately() -> None:
    meter = daily(limit=1000)
    midnight = at("2026-03-10T00:00", KOLKATA)
    for minute in range(12 * 60):  # 20 an hour until noon
        if minute % 3 == 0:
            meter.spend(1, midnight + minute * 60)
    assert meter.used(NOON) == 240
    assert meter.forecast(NOON) == pytest.approx(480, rel=0.05)
    assert meter.exhausted_in_s(NOON) is None
    for second in range(2 * 3600):  # then 360 an hour
        if second % 10 == 0:
            meter.spend(1, NOON + second)
    now = NOON + 7200
    assert meter.used(now) == 960
    assert meter.forecast(now) == pytest.approx(960 + 360 * 10, rel=0.05)
    assert meter.exhausted_in_s(now) == pytest.approx(400, rel=0.05)
    meter.spend(40, now)
    assert meter.exhausted_in_s(now) == 0.0


def test_a_meter_at_rest_forecasts_what_is_used() -> None:
    meter = daily()
    meter.spend(50, NOON)
    assert meter.forecast(NOON + 5 * 3600) == 50
    assert meter.exhausted_in_s(NOON + 5 * 3600) is None


def test_the_forecast_is_not_a_guess() -> None:
    meter = daily()
    meter.spend(5, NOON)
    meter.spend(5, NOON + 1)
    assert meter.forecast(NOON + 1) is None
    assert meter.forecast(NOON + 600) == pytest.approx(10 + 10 / 600 * (12 * 3600 - 600))


def test_a_correction_or_a_restart_is_no_burst() -> None:
    meter = daily()
    meter.restore(MeterRecord(what="calls", period="day", used=40, resets_at=NOON + 3600), NOON)
    meter.correct(60, NOON + 900)
    assert meter.forecast(NOON + 1800) == 60


@given(st.integers(1, 10_000), st.integers(1, 99))
def test_the_state_and_what_is_told_agree(limit: int, warning: int) -> None:
    percents = {"ok": 0, "warning": warning, "critical": 99, "exhausted": 100}
    settings = MeterSettings(limit=limit, warning_percent=warning, critical_percent=99)
    for used in {limit * warning // 100, limit * warning // 100 + 1, limit * 99 // 100, limit - 1, limit}:
        meter = Meter(settings)
        meter.spend(used, NOON)
        state = meter.state(NOON)
        if warning == 99 and state == "critical":
            assert meter.crossed() == 99
        else:
            assert meter.crossed() == percents[state]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limit": 0}, "limit"),
        ({"warning_percent": 0}, "warning_percent"),
        ({"warning_percent": 96}, "critical_percent"),
        ({"critical_percent": 101}, "critical_percent"),
        ({"zone": "Asia/Bombai"}, '"Asia/Bombai" is not a time zone'),
        ({"zone": "../etc"}, "is not a time zone"),
        ({"zone": ""}, "is not a time zone"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        MeterSettings(**wrong)


# --- Costs --------------------------------------------------------------------------------------------


def priced(per_call: str = "0.002", per_month: str = "31") -> CostMeter:
    return CostMeter(Money.parse(per_call, "INR"), Money.parse(per_month, "INR"), KOLKATA)


def test_calls_cost_their_price_and_a_day_its_part_of_the_month() -> None:
    meter = priced()
    meter.spend(1000, NOON)
    assert (meter.today(NOON).text, meter.month(NOON).text) == ("3.00", "33.00")
    meter.spend(500, NOON + 86400)
    assert (meter.today(NOON + 86400).text, meter.month(NOON + 86400).text) == ("2.00", "34.00")
    assert meter.month(at("2026-04-01T00:00", KOLKATA)).text == "31.00"


@given(st.integers(0, 10**11), st.integers(1, 12), st.sampled_from([2027, 2028]))
def test_the_days_parts_add_up_to_the_months_price(micros: int, month: int, year: int) -> None:
    price = Money(micros, "INR")
    meter = CostMeter(Money(0, "INR"), price, KOLKATA)
    wall = at(f"{year}-{month:02d}-01T06:00", KOLKATA)
    parts = []
    while datetime.fromtimestamp(wall, ZoneInfo(KOLKATA)).month == month:
        parts.append(meter.today(wall).micros)
        wall += 86400
    assert sum(parts) == micros
    assert max(parts) - min(parts) <= 1


@given(st.lists(st.tuples(st.floats(0.0, 400_000.0), st.booleans(), st.integers(0, 500)), max_size=40))
def test_costs_agree_with_a_ledger(steps: list[tuple[float, bool, int]]) -> None:
    meter, wall = priced(per_month="0"), NOON
    days: dict[date, int] = {}
    for wait_s, restart, calls in steps:
        wall += wait_s
        day = datetime.fromtimestamp(wall, ZoneInfo(KOLKATA)).date()
        if restart:
            record = msgspec.json.decode(msgspec.json.encode(meter.dump()), type=CostRecord)
            meter = priced(per_month="0")
            meter.restore(record, wall)
        meter.spend(calls, wall)
        days[day] = days.get(day, 0) + calls * 2000
        month = sum(
            micros for other, micros in days.items() if (other.year, other.month) == (day.year, day.month)
        )
        assert meter.today(wall).micros == days[day]
        assert meter.month(wall).micros == month


def test_a_restart_at_midnight_moves_yesterdays_cost_out_of_today() -> None:
    meter = priced(per_month="0")
    meter.spend(1000, NOON)
    midnight = at("2026-03-11T00:00", KOLKATA)
    again = priced(per_month="0")
    again.restore(meter.dump(), midnight)
    assert (again.today(midnight).text, again.month(midnight).text) == ("0.00", "2.00")


def test_a_record_in_another_currency_restores_to_nothing() -> None:
    meter = priced()
    meter.spend(1000, NOON)
    dollars = CostMeter(Money.parse("1", "USD"), Money.parse("0", "USD"), KOLKATA)
    dollars.restore(meter.dump(), NOON)
    assert not dollars.month(NOON)


def test_prices_in_two_currencies_are_refused() -> None:
    with pytest.raises(ValueError, match="one currency"):
        CostMeter(Money.parse("1", "USD"), Money.parse("1", "INR"))
