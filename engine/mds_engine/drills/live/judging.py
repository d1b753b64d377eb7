"""What must hold in a drill on the running engine: figures against limits, each with its reason. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mds_engine.control.drill import DrillCheck, DrillFigures, DrillScenario
from mds_engine.drills.scorecard import Check, at_most, exactly

_FAILURES_THAT_TELL = 5
"""Requests that must have met the fault before anybody can be expected to notice it."""
_SLACK_MS = 500.0
_UNITS = frozenset({"s", "ms"})


class Circumstances(NamedTuple):
    """What a drill is judged by, beside its figures. Times in seconds."""

    scenario: DrillScenario
    target: str
    kind: str
    stood_s: float
    """How long the fault stood."""
    watched_to_the_end: bool
    """False if an operator broke the watching of the recovery off."""
    served: int
    """Routes that the target served when it began."""
    to_move: int
    """Of them those that it could serve no more while the fault stood, and that had another source."""
    moved: int
    """Of these those that moved to it."""
    failed_beyond_risk: int
    """Failed calls on routes that had another source."""
    at_risk: tuple[str, ...]
    streamed: bool
    """Whether ticks came from the target, on a route that had another source."""
    compared: bool
    """Whether another source streamed the same meanwhile."""
    timeout_s: float
    check_interval_s: float
    open_timeout_s: float
    mute_after_s: float
    reconnect_cap_s: float


def judge(figures: DrillFigures, about: Circumstances) -> tuple[DrillCheck, ...]:
    """Every line of the scorecard."""
    return (
        *_calls(figures, about),
        *_noticed(figures, about),
        *_breakers(figures, about),
        *(_ticks(figures, about) if about.scenario.hits_ticks else ()),
        *_recovery(figures, about),
    )


def verdict_of(checks: Sequence[DrillCheck]) -> str:
    """pass, fail, or `not judged` where nothing was there to be judged."""
    if not all(check.ok for check in checks):
        return "fail"
    return "pass" if any(check.limit for check in checks) else "not judged"


def _judged(check: Check, why: str = "", *, bad: str = "") -> DrillCheck:
    """A figure against its limit; `bad` is said in place of `why` where it does not hold."""
    unit = check.limit.rpartition(" ")[2]
    return DrillCheck(
        name=check.name,
        value=check.value,
        unit=unit if unit in _UNITS else "",
        limit=check.limit,
        ok=check.ok,
        why=why if check.ok else bad or why,
    )


def _told(name: str, value: float | None, why: str, unit: str = "") -> DrillCheck:
    """A figure that nothing is asked of."""
    return DrillCheck(name=name, value=None if value is None else round(value, 3), unit=unit, why=why)


def _never(name: str, limit: float, unit: str, why: str) -> DrillCheck:
    """What should have come and did not."""
    return DrillCheck(name=name, value=None, unit=unit, limit=f"≤ {limit:g} {unit}", ok=False, why=why)


def _calls(figures: DrillFigures, about: Circumstances) -> Iterable[DrillCheck]:
    if not about.scenario.hits_calls:
        return
    if not figures.calls:
        yield _told("calls failed", 0, "nobody asked anything while it stood")
        return
    by = ", ".join(f"{name} {number}" for name, number in sorted(figures.answered_by.items()))
    yield _told("calls made", figures.calls, f"answered by {by}" if by else "nobody answered")
    yield _judged(
        exactly("calls failed", about.failed_beyond_risk, 0),
        "another source answered each of them",
        bad="another source should have answered them",
    )
    if about.at_risk:
        lost = figures.failed - about.failed_beyond_risk
        yield _told("calls lost as accepted", lost, f"{', '.join(about.at_risk)} had no other source")
    if figures.failover_ms is not None:
        yield _judged(
            at_most("first failover", figures.failover_ms, about.timeout_s * 1000 + _SLACK_MS, "ms"),
            "from the failure of a call to the other source's answer",
        )


def _noticed(figures: DrillFigures, about: Circumstances) -> Iterable[DrillCheck]:
    name, limit_s = "noticed after", _notice_within_s(about)
    if figures.noticed_after_s is not None:
        yield _judged(at_most(name, figures.noticed_after_s, limit_s, "s"), "the engine told of the fault")
    elif reason := _why_unnoticed(figures, about, limit_s):
        yield _told(name, None, reason)
    else:
        yield _never(name, limit_s, "s", "nothing was told of it while it stood")
    if not about.to_move:
        return
    yield _judged(
        exactly("routes moved to another source", about.moved, about.to_move),
        "all that it could serve no more",
        bad=f"{about.to_move - about.moved} stayed with {about.target}, which was out",
    )
    if figures.moved_after_s is not None:
        yield _told("all of them moved after", figures.moved_after_s, "", "s")


def _notice_within_s(about: Circumstances) -> float:
    if about.scenario.name in {"stream-mute", "hangs"} and about.streamed:
        return max(2 * about.check_interval_s, about.mute_after_s + about.open_timeout_s)
    return 2 * about.check_interval_s


def _why_unnoticed(figures: DrillFigures, about: Circumstances, limit_s: float) -> str:
    """Why nobody can be blamed for not noticing; empty if somebody can."""
    if about.stood_s < limit_s:
        return f"the fault stood for {about.stood_s:.0f} s only"
    if about.scenario.hits_calls and figures.held_back < _FAILURES_THAT_TELL:
        return f"only {figures.held_back} requests came to it"
    if not about.scenario.hits_calls and not about.streamed:
        return "no ticks came from it that another source could have given"
    if about.scenario.bends_prices and not about.compared:
        return "no other source streamed the same, to be compared with"
    if about.scenario.name in {"slow", "frozen-price"}:
        return "what is usual for it was not learned yet"
    return ""


def _breakers(figures: DrillFigures, about: Circumstances) -> Iterable[DrillCheck]:
    if not about.scenario.opens_breakers:
        yield _judged(
            exactly("breakers opened", figures.breakers_opened, 0),
            "what it was told is no illness",
            bad="what it was told is no illness",
        )
    elif about.scenario.hits_calls and figures.breakers_opened:
        yield _told("breakers opened", figures.breakers_opened, "")
        yield _judged(
            exactly("requests past an open breaker", figures.past_breaker, 0),
            f"{figures.held_back} came to it in all, checks and probes among them",
        )


def _ticks(figures: DrillFigures, about: Circumstances) -> Iterable[DrillCheck]:
    if not figures.ticks and figures.silence_s is None:
        yield _told("ticks", 0, f"none came from {about.target} when it began")
        return
    yield _told("ticks delivered", figures.ticks, "of the instruments that came from it")
    if figures.lost is None:
        yield _told("ticks lost", None, "cannot be known: they bear no numbers")
    else:
        yield _judged(exactly("ticks lost", figures.lost, 0), "by the vendor's own numbers, told gaps aside")
    yield _judged(exactly("ticks doubled", figures.doubled, 0))
    yield _judged(exactly("ticks out of order", figures.disordered, 0))
    yield _told("gaps told", figures.gaps, f"{figures.gap_s:.1f} s together" if figures.gaps else "")
    if about.scenario.bends_prices:
        yield _told("wrong ticks delivered", figures.bent, "each of them flagged SUSPECT")
        return
    if figures.silence_s is None:
        yield _told("longest silence", None, "no instrument was lively before")
    elif not about.streamed:
        yield _told("longest silence", figures.silence_s, "no other source could give them", "s")
    else:
        cut = about.scenario.cuts_streams
        limit_s = about.open_timeout_s + (0.0 if cut else about.mute_after_s)
        yield _judged(
            at_most("longest silence", figures.silence_s, limit_s, "s"),
            "of an instrument that was lively before",
        )


def _recovery(figures: DrillFigures, about: Circumstances) -> Iterable[DrillCheck]:
    limit_s = max(2 * about.check_interval_s, about.reconnect_cap_s)
    if figures.recovered_after_s is not None:
        yield _judged(
            at_most("well again after", figures.recovered_after_s, limit_s, "s"),
            "from the end of the fault, by itself",
        )
    elif about.watched_to_the_end:
        yield _never("well again after", limit_s, "s", "it had to be reset")
    else:
        yield _told("well again after", None, "the watching was ended before it was")
    if about.served and not about.scenario.bends_prices:
        away = "; the rest when it has proved itself" if figures.away else ""
        yield _told("routes back", about.served - figures.away, f"of {about.served}{away}")
