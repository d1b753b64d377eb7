"""What another rate limit will do."""

from mds_engine.control.commands import SetRateLimit
from mds_engine.control.consequences.words import Against, duration, window
from mds_engine.control.snapshot import LimiterView, SourceView


def rate_limit(command: SetRateLimit, source: SourceView) -> tuple[str, ...]:
    """How much it changes per minute, and how it stands against what the vendor publishes."""
    limiter = next(
        (
            view
            for view in source.limiters
            if view.group == command.group and view.window_s == command.window_s
        ),
        None,
    )
    if limiter is None:
        known = ", ".join(f"{view.group} {duration(view.window_s)}" for view in source.limiters) or "none"
        return (
            f"{source.name} has no {command.group} window of {duration(command.window_s)}; it has {known}.",
        )
    per = window(command.window_s)
    if command.limit < 1:
        return ("The limit must be at least 1; take the source out of service to send nothing.",)
    if command.limit == limiter.limit:
        return (f"{source.name} may be sent {command.limit:,} per {per} already; nothing changes.",)
    return (
        f"{source.name} may be sent {command.limit:,} per {per} instead of {limiter.limit:,}.",
        _difference(command.limit, limiter),
        *_used(command.limit, limiter),
        *_against_the_vendor(command.limit, limiter, source.name),
        *_others(command.limit, limiter, source),
    )


def _difference(limit: int, limiter: LimiterView) -> str:
    """Per minute, or per hour or day where that is less than one."""
    change = (limit - limiter.limit) / limiter.window_s
    more = "more" if change > 0 else "less" if limiter.weighed else "fewer"
    per, unit = next(
        (abs(change) * seconds, unit)
        for seconds, unit in ((60.0, "minute"), (3600.0, "hour"), (86400.0, "day"))
        if abs(change) * seconds >= 1 or unit == "day"
    )
    much = f"{per:,.0f}" if per >= 10 or per == round(per) else f"{per:.1f}"
    what = "weight" if limiter.weighed else "call" if much == "1" else "calls"
    return f"That is {much} {what} per {unit} {more} ({limit * 100 / limiter.limit:.0f} % of now)."


def _used(limit: int, limiter: LimiterView) -> tuple[str, ...]:
    if limiter.used < limit:
        return ()
    sent = f"{limiter.used:,} were sent within the last {window(limiter.window_s)}"
    return (Against(f"{sent}: calls wait until fewer are in it, or go to the next source."),)


def _against_the_vendor(limit: int, limiter: LimiterView, name: str) -> tuple[str, ...]:
    published = limiter.published
    if published is None:
        return (f"{name} publishes no limit for such a window.",)
    if limit > published:
        return (
            Against(
                f"WARNING: the vendor publishes {published:,}; above that it may throttle or ban {name}."
            ),
        )
    if limit == published:
        return ("That is what the vendor publishes.",)
    return (f"The vendor publishes {published:,}.",)


def _others(limit: int, limiter: LimiterView, source: SourceView) -> tuple[str, ...]:
    """A longer or shorter window of the same group may let less through than this one."""
    rate = limit / limiter.window_s
    tighter = [
        view
        for view in source.limiters
        if view.group == limiter.group
        and view.window_s > limiter.window_s
        and view.limit / view.window_s < rate
    ]
    if not tighter:
        return ()
    least = min(tighter, key=lambda view: view.limit / view.window_s)
    other = f"{least.limit:,} per {window(least.window_s)}"
    return (f"In the long run the other limit of {other} lets less through.",)
