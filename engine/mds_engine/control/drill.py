"""What can be rehearsed on the running engine, how a drill stands, and what came of it. Pure data."""

from enum import StrEnum

import msgspec


class DrillScenario(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that can be rehearsed on a running engine."""

    name: str
    about: str
    """One line: what the engine will see of the source."""
    hits_calls: bool = True
    """Whether quotes, bars and health checks are hit; polls too."""
    hits_ticks: bool = False
    """Whether live ticks are hit."""
    cuts_streams: bool = False
    """Whether live connections that are open are cut at once, on our side."""
    closes_streams: bool = False
    """Whether the vendor sees us close live connections, and open them again when it is over: be it that they
    are cut, or that the engine gives up what is silent."""
    delays: bool = False
    """Whether answers come late, or not at all, instead of being refused."""
    bends_prices: bool = False
    """Whether readers get prices that are not the vendor's."""
    opens_breakers: bool = True
    """Whether it counts against the source's health: what a vendor merely asks of us does not."""

    def hits(self, capability: str, *, polled: bool) -> bool:
        """Whether a capability is hit; `polled` says that the source's ticks are quotes, asked for again."""
        if capability != "ticks":
            return self.hits_calls
        return self.hits_calls if polled else self.hits_ticks


SCENARIOS: tuple[DrillScenario, ...] = (
    DrillScenario(
        name="refused",
        about="connections to it are refused, and its live streams are cut",
        hits_ticks=True,
        cuts_streams=True,
        closes_streams=True,
    ),
    DrillScenario(
        name="hangs",
        about="it takes requests and never answers, and its live streams fall silent",
        hits_ticks=True,
        closes_streams=True,
        delays=True,
    ),
    DrillScenario(name="slow", about="it answers, but 3 s later than it would", delays=True),
    DrillScenario(name="errors", about="it answers every request with 503"),
    DrillScenario(
        name="throttled",
        about="it answers 429, with a Retry-After as long as the drill",
        opens_breakers=False,
    ),
    DrillScenario(
        name="login-ended",
        about="it answers 401: the login has ended, for its live streams too",
        hits_ticks=True,
        cuts_streams=True,
        closes_streams=True,
        opens_breakers=False,
    ),
    DrillScenario(name="truncated", about="its answers end in the middle"),
    DrillScenario(
        name="stream-cut",
        about="its live streams are cut and cannot be had again; requests are answered",
        hits_calls=False,
        hits_ticks=True,
        cuts_streams=True,
        closes_streams=True,
    ),
    DrillScenario(
        name="stream-mute",
        about="its live streams stay connected and say nothing; requests are answered",
        hits_calls=False,
        hits_ticks=True,
        closes_streams=True,
    ),
    DrillScenario(
        name="wrong-price",
        about="every price of its ticks is 1 % too high",
        hits_calls=False,
        hits_ticks=True,
        bends_prices=True,
        opens_breakers=False,
    ),
    DrillScenario(
        name="frozen-price",
        about="the prices of its ticks stand still, while the ticks go on",
        hits_calls=False,
        hits_ticks=True,
        bends_prices=True,
        opens_breakers=False,
    ),
)


def scenario_named(name: str) -> DrillScenario | None:
    """The scenario of that name, None if there is none."""
    return next((scenario for scenario in SCENARIOS if scenario.name == name), None)


class DrillPhase(StrEnum):
    """How far a drill is."""

    FAULT = "fault"
    """The fault stands."""
    RECOVERY = "recovery"
    """The fault is gone; what it broke is watched until it is well again."""


class DrillFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill has brought about so far. Times are seconds since it began; None: not yet, or unknown."""

    held_back: int = 0
    """Requests and connections that the drill kept from the vendor."""
    past_breaker: int = 0
    """Requests that came to the source although its breaker was open."""
    calls: int = 0
    """By callers, on the routes of the source."""
    answered: int = 0
    failed: int = 0
    answered_by: dict[str, int] = {}
    """Answered calls by source."""
    noticed_after_s: float | None = None
    """Until the engine first told that something is wrong with the source."""
    failover_ms: float | None = None
    """From the failure of a call to the first good answer of another source, as the failover told."""
    moved_after_s: float | None = None
    """Until the last of the routes that it could not serve any more had moved to another source."""
    ticks: int = 0
    """Delivered to readers, of the instruments that came from it."""
    lost: int | None = None
    """Trades that never came and were not told as missing. None where its vendor does not number them."""
    doubled: int = 0
    disordered: int = 0
    bent: int = 0
    """Ticks with a price of the drill's making that readers got."""
    gaps: int = 0
    gap_s: float = 0.0
    """Seconds between the ends of the gaps that were told, all instruments together."""
    silence_s: float | None = None
    """The longest that an instrument, lively before, was without a tick."""
    breakers: dict[str, str] = {}
    """State by capability; "source" is the source as a whole."""
    breakers_opened: int = 0
    recovered_after_s: float | None = None
    """From the end of the fault until the source could serve everything again."""
    served: int = 0
    """Routes that the source served when the drill began."""
    away: int = 0
    """Of them those that another source serves now, or nobody."""


class DrillView(msgspec.Struct, frozen=True, kw_only=True):
    """The drill that is under way."""

    number: int
    """1 for the first drill of an engine's life."""
    scenario: str
    target: str
    """The source that is hit."""
    by: str
    phase: DrillPhase
    since: float
    """Epoch seconds UTC."""
    duration_s: float
    """How long the fault was to stand."""
    remaining_s: float
    """Of the fault; then, at the most, of the time in which recovery is watched."""
    routes: tuple[str, ...]
    """Those of the source that are hit."""
    at_risk: tuple[str, ...] = ()
    """Of them those that had no other source when it began."""
    figures: DrillFigures = DrillFigures()


class DrillCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a scorecard."""

    name: str
    value: float | None
    """What was measured; None if it never came."""
    unit: str = ""
    limit: str = ""
    """What is allowed, as `= 0`, `≤ 2 s`; empty where nothing is, so that it is only told."""
    ok: bool = True
    why: str = ""
    """What it means, or why it could not be judged."""


class DrillCard(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of a drill on a running engine."""

    number: int
    scenario: str
    about: str
    target: str
    kind: str
    """The vendor of the target."""
    simulated: bool
    """Whether the target's endpoints are on loopback."""
    by: str
    why: str
    verdict: str
    """pass, fail, or `not judged` where nothing was there to be judged."""
    ended: str
    """What ended the fault: its time, an operator, or the engine."""
    began_at: float
    """Epoch seconds UTC, like the next two."""
    cleared_at: float
    ended_at: float
    routes: tuple[str, ...]
    checks: tuple[DrillCheck, ...]
    figures: DrillFigures
    cleaned: tuple[str, ...] = ()
    """What was put back by hand when the drill was over, in words."""
