"""How soon a warm standby takes over from a stream that is cut or falls silent, and whether a tick was lost.

The drills `stream-cut` and `stream-mute`, a few times each, counted as they count:
against the simulator's own log of its market, but on the machine's own clock.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from mds_engine.clock import SystemClock
from mds_engine.drills.scorecard import Scorecard
from mds_engine.drills.stream_rehearsal import StreamRehearsal
from mds_engine.drills.stream_scenarios import STREAM_PAIR, STREAM_SCENARIOS, StreamScenario
from mds_engine.sources.contract import SourcePlugin
from mds_engine.sources.plugins import find_plugins

from benchmarks.report import Row

ABOUT = "a warm standby takes over a Binance stream that is cut or mute, two instruments, real sockets"
ROUNDS = 7
_MUTE_TICKS_A_SECOND = 10.0
_BY_NAME = {scenario.name: scenario for scenario in STREAM_SCENARIOS}


async def run() -> list[Row]:
    """The rows."""
    plugins = find_plugins(("binance",))
    cut = _BY_NAME["stream-cut"]
    mute = _BY_NAME["stream-mute"]._replace(
        trades_per_s=_MUTE_TICKS_A_SECOND / len(STREAM_PAIR.instruments), warm_s=3.0
    )
    cuts, mutes = await _rehearse(cut, plugins), await _rehearse(mute, plugins)
    noticed, first_good = "first tick after it was noticed", "fault to first good tick"
    return [
        Row(what="cut: from the loss noticed to the first tick of the standby", unit="ms", at_most=50.0,
            value=median(_values(cuts, noticed)), note=_span(cuts, noticed, "ms")),
        Row(what="cut: from the fault to the first good tick", unit="s",
            value=median(_values(cuts, first_good)), note=_span(cuts, first_good, "s")),
        Row(what=f"mute at {_MUTE_TICKS_A_SECOND:g} ticks/s: from the fault to the first good tick", unit="s",
            at_most=1.5, value=median(_values(mutes, first_good)),
            note=f"{mute.settings}; {_span(mutes, first_good, 's')}"),
        _counted([*cuts, *mutes], "ticks lost"),
        _counted([*cuts, *mutes], "ticks duplicated"),
        _counted([*cuts, *mutes], "ticks out of order"),
    ]  # fmt: skip


async def _rehearse(scenario: StreamScenario, plugins: Mapping[str, SourcePlugin]) -> list[Scorecard]:
    return [
        await StreamRehearsal(scenario, plugins, seed, SystemClock()).run() for seed in range(1, ROUNDS + 1)
    ]


def _values(scorecards: Sequence[Scorecard], name: str) -> list[float]:
    return [check.value for scorecard in scorecards for check in scorecard.checks if check.name == name]


def _span(scorecards: Sequence[Scorecard], name: str, unit: str) -> str:
    values = _values(scorecards, name)
    return f"{min(values):.3g} to {max(values):.3g} {unit}, of {len(values)}"


def _counted(scorecards: Sequence[Scorecard], name: str) -> Row:
    delivered = sum(_values(scorecards, "trades delivered"))
    return Row(
        what=name,
        value=sum(_values(scorecards, name)),
        unit="",
        at_most=0,
        note=f"{delivered:.0f} trades delivered in {len(scorecards)} drills",
    )
