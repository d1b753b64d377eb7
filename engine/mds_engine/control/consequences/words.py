"""Numbers, times and lists as sentences spell them."""

from collections.abc import Sequence
from decimal import Decimal

_NAMED = 3


class Against(str):
    """A sentence that speaks against what it is about: something is lost, down, too little or not known."""

    __slots__ = ()


def count(number: float, noun: str) -> str:
    """`812 instruments`, `1 call`."""
    return f"{number:,.0f} {noun}{'' if round(number) == 1 else 's'}"


def listed(names: Sequence[str], *, of: int | None = None) -> str:
    """`A, B and C`; where there are more, the first few and `9 more`. `of` is how many there are in all."""
    total = len(names) if of is None else of
    shown = list(names[:_NAMED])
    if total > len(shown):
        shown.append(f"{total - len(shown):,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def milliseconds(value: float) -> str:
    """`91 ms`."""
    return f"{value:,.0f} ms" if value >= 1 else f"{value:.1f} ms"


def percent(used: float, limit: float) -> int:
    """Whole percent, 0 to 100."""
    return max(0, min(100, round(used * 100 / limit)))


def duration(seconds: float) -> str:
    """`40 s`, `15 min`, `2 h 5 min`, `3 days`."""
    if seconds < 60:
        return f"{seconds:g} s" if seconds == round(seconds) else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" if not rest else f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" if not minutes else f"{hours} h {minutes} min"
    return f"{round(hours / 24)} days"


def about(seconds: float) -> str:
    """A duration as exact as a forecast can be: whole minutes from five on, whole hours from five on."""
    if seconds >= 5 * 3600:
        return duration(round(seconds / 3600) * 3600)
    return duration(round(seconds / 60) * 60) if seconds >= 300 else duration(round(seconds))


def window(seconds: float) -> str:
    """`second`, `minute`, `10 s`: what follows `per`."""
    named = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
    return named.get(seconds) or duration(seconds)


def amount(value: Decimal) -> str:
    """At most three decimals of a forecast, two of what is larger than a few units; never `-0`."""
    rounded = value.quantize(Decimal("0.001") if abs(value) < 10 else Decimal("0.01"))
    text = f"{rounded:f}"
    if "." in text:
        whole, _, decimals = text.partition(".")
        text = f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    return f"{abs(rounded):.2f}" if not rounded else text
