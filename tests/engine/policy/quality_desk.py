"""A market made up second by second, and sources that tell it to the checks on live data."""

import random

from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.policy.quality import QualityMonitor

RELIANCE = Instrument("NSE", "RELIANCE")
STEP_S = 0.25
WALL = 1_750_000_000.0


def always(exchange: str, wall: float) -> bool:
    return True


def tick(price: float | None, at: float, *, time_at: float | None = None, **more) -> Tick:
    kind = more.pop("kind", TickKind.QUOTE)
    return Tick(
        instrument=RELIANCE,
        kind=kind,
        price=price,
        received_ns=int((WALL + at) * 1e9),
        time_ns=int((WALL + (at if time_at is None else time_at)) * 1e9),
        **more,
    )


class Desk:
    """Sources that tell the same market; a test says what each makes of it."""

    def __init__(self, *sources: str, is_open=always, seed: int = 1, jump_bps: float = 3.0) -> None:
        self.monitor = QualityMonitor(is_open=is_open)
        self.dice = random.Random(seed)
        self.at = 0.0
        self.prices = [1400.0]
        self.jump_bps = jump_bps
        self.tells = dict.fromkeys(sources, tick)
        self.late_s = dict.fromkeys(sources, 0.0)
        self.told = []

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.at += STEP_S
            self.prices.append(self.prices[-1] * (1 + self.dice.gauss(0, self.jump_bps) * 1e-4))
            for source, tell in self.tells.items():
                price = self.prices[max(0, len(self.prices) - 1 - round(self.late_s[source] / STEP_S))]
                told = tell(price, self.at)
                if told is not None:
                    self.monitor.observe(source, (told,), self.at)
            self.told += self.monitor.scan(self.at, WALL + self.at)

    @property
    def story(self) -> list[tuple[str, str, bool]]:
        return [(finding.source, finding.check.value, finding.active) for finding in self.told]


def times(factor: float):
    return lambda price, at: tick(price * factor, at)
