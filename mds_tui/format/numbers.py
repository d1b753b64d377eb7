"""Numbers for people: short, aligned, with their unit or in a column that names it."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal

NOTHING = "–"
"""Stands for a value that is not known."""

_SYMBOLS = {"USD": "$", "INR": "₹", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "¥"}


def age(seconds: float | None) -> str:
    """`0.2s`, `11s`, `3m02`, `2h14`, `5d`: five columns at most."""
    if seconds is None:
        return NOTHING
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86400}d"


def countdown(seconds: float) -> str:
    """`41 s`, `12:40`, `2:14:00`: time that is left."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def milliseconds(value: float | None) -> str:
    """Whole milliseconds, one decimal below ten, thousands with a comma; the unit is the column's."""
    if value is None:
        return NOTHING
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def duration_ms(value: float) -> str:
    """`38 ms`, `2.1 s`: with its unit, for a sentence."""
    return f"{milliseconds(value)} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def duration(seconds: float) -> str:
    """`41 s`, `15 min`, `1 h 5 min`: with units, for a sentence."""
    if seconds < 9.95 and round(seconds, 1) != round(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" if not rest else f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" if not minutes else f"{hours} h {minutes} min"


def percent(value: float | None) -> str:
    """One decimal; the sign is the column's."""
    return NOTHING if value is None else f"{value:.1f}"


def change(value: float | None) -> str:
    """Signed, two decimals; what rounds to nothing has no sign."""
    if value is None:
        return NOTHING
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def rate(value: float) -> str:
    """Events per second: whole above ten."""
    return f"{value:.1f}" if value < 9.95 and value != round(value) else f"{value:,.0f}"


def count(value: float) -> str:
    """A whole number with commas, or `1.2M` from ten million on."""
    return f"{value:,.0f}" if value < 10_000_000 else f"{value / 1e6:,.1f}M"


def compact(value: float | None) -> str:
    """`812`, `4.8k`, `2.95M`, `1.2B`: at most six columns, for volumes."""
    if value is None:
        return NOTHING
    for limit, divisor, suffix in ((1e3, 1.0, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "B")):
        if abs(value) < limit * 0.9995:
            scaled = value / divisor
            whole = suffix == "" and scaled == int(scaled)
            return f"{scaled:.0f}{suffix}" if whole or abs(scaled) >= 100 else f"{scaled:.1f}{suffix}"
    return f"{value / 1e12:,.1f}T"


def price(value: float | None) -> str:
    """A price with its point always three columns from the right end of a full field.

    Two decimals from one on, then two blanks; below one, four, or more where four would lose it.
    """
    if value is None:
        return NOTHING + "  "
    if abs(value) >= 1 or value == 0:
        return f"{value:,.2f}  "
    if abs(value) >= 0.01:
        return f"{value:.4f}"
    return f"{value:.8f}"


def basis_points(bid: float | None, ask: float | None) -> float | None:
    """The spread between bid and ask in basis points of their middle; None where one is missing."""
    if bid is None or ask is None or bid + ask <= 0:
        return None
    return (ask - bid) * 20_000 / (ask + bid)


def money(currency: str, amount: str) -> str:
    """`₹17`, `$3.90`, `CHF 4.20`: exact digits, whole amounts from ten on without their cents."""
    value = Decimal(amount)
    digits = f"{value:,.0f}" if abs(value) >= 10 and value == value.to_integral() else f"{value:,.2f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{digits}" if symbol else f"{currency} {digits}"


def clock(at: float, zone: tzinfo | None) -> str:
    """`14:03:27` in the zone, None meaning this machine's."""
    return _local(at, zone).strftime("%H:%M:%S")


def clock_minutes(at: float, zone: tzinfo | None) -> str:
    """`14:03`."""
    return _local(at, zone).strftime("%H:%M")


def iso(at: float | None) -> str | None:
    """`2026-09-21T13:33:20.000Z`, from epoch seconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone_name(at: float, zone: tzinfo | None) -> str:
    """`IST`, `UTC`, `+08`."""
    return _local(at, zone).tzname() or ""


def _local(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone)
