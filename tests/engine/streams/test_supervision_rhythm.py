"""When a connection's silence says something: learned from its pauses, with no false alarm."""

import gzip
import math
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.streams.rhythm import Rhythm

TICKS = ("@trade", "@bookTicker", "@aggTrade", "@kline")


def false_alarms(times: Iterable[float], *, most_s: float = 30.0) -> list[tuple[float, float, float]]:
    """(time, silence, limit) of each pause that would have been taken for the stream's end."""
    rhythm, last, found = Rhythm(), None, []
    for at in times:
        if last is not None:
            # A supervisor looks when the limit is over, so the limit as of the last tick decides.
            limit_s = rhythm.limit_s(last)
            if limit_s is not None and at - last >= min(limit_s, most_s):
                found.append((at, at - last, limit_s))
        rhythm.beat(at)
        last = at
    return found


def heard(times: Iterable[float]) -> Rhythm:
    rhythm = Rhythm()
    for at in times:
        rhythm.beat(at)
    return rhythm


def test_ten_ticks_a_second_are_missed_after_one() -> None:
    times = [place * 0.1 for place in range(102)]
    assert heard(times).limit_s(times[-1]) == 1.0


def test_nothing_is_said_before_enough_was_heard() -> None:
    assert heard([place * 0.1 for place in range(99)]).limit_s(9.8) is None
    assert heard([place * 1.0 for place in range(49)]).limit_s(48.0) is None
    burst = [0.0, 5.0, *(5.0 + place * 0.001 for place in range(1, 20_000))]
    assert heard(burst).limit_s(25.0) is None, "many ticks, but hardly longer than one pause"


def test_a_long_pause_is_forgotten_in_time() -> None:
    times = [place * 0.1 for place in range(100)]
    times += [14.0 + place * 0.1 for place in range(36_000)]
    rhythm = Rhythm()
    limits = []
    for at in times:
        rhythm.beat(at)
        limits.append(rhythm.limit_s(at))
    assert limits[1000] is not None
    assert limits[1000] > 10.0
    assert limits[-1] == 1.0


def test_the_limit_keeps_its_distance_from_the_longest_pause() -> None:
    times = [place * 0.1 for place in range(6_000)]
    times += [602.0 + place * 0.1 for place in range(100)]
    limit_s = heard(times).limit_s(times[-1])
    assert limit_s is not None
    assert limit_s > 3.0 * 1.9


def test_what_changed_is_learned_anew() -> None:
    rhythm = heard(place * 0.1 for place in range(100))
    rhythm.forget()
    assert rhythm.limit_s(10.0) is None


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0.002, 20.0))
def test_ticks_at_random_raise_no_alarm(seed: int, mean_s: float) -> None:
    random = Random(seed)
    at, times = 0.0, []
    for _ in range(3_000):
        at += random.expovariate(1.0 / mean_s)
        times.append(at)
    assert false_alarms(times, most_s=math.inf) == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0.05, 5.0), st.integers(1, 40))
def test_bursts_raise_no_alarm(seed: int, mean_s: float, most_in_burst: int) -> None:
    random = Random(seed)
    at, times = 0.0, []
    for _ in range(1_000):
        at += random.expovariate(1.0 / mean_s)
        times += [at + place * 0.0005 for place in range(random.randint(1, most_in_burst))]
        at = times[-1]
    assert false_alarms(times, most_s=math.inf) == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(1.0, 5.0))
def test_a_rate_that_falls_slowly_raises_no_alarm(seed: int, falls_by: float) -> None:
    """From the opening's rush to noon: the mean pause grows by `falls_by` over twenty minutes."""
    random = Random(seed)
    at, times = 0.0, []
    while at < 1200.0:
        at += random.expovariate(10.0) * (1.0 + (falls_by - 1.0) * at / 1200.0)
        times.append(at)
    assert false_alarms(times) == []


def received(file: Path, kinds: tuple[str, ...]) -> list[float]:
    times = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            head = line.partition(" ")[0].rstrip(":")
            if head.replace(".", "", 1).isdigit() and any(kind in line for kind in kinds):
                times.append(float(head) / (1e9 if "hftbacktest" in file.name else 1.0))
    return times


@pytest.mark.parametrize("kinds", [TICKS, ("@trade", "@aggTrade"), ("@bookTicker",)], ids=" ".join)
def test_real_streams_raise_no_alarm(recordings: Path, kinds: tuple[str, ...]) -> None:
    judged = 0
    for file in sorted((recordings / "binance").glob("ws_*.log.gz")):
        times = received(file, kinds)
        assert false_alarms(times) == [], file.name
        rhythm = heard(times)
        judged += bool(times) and rhythm.limit_s(times[-1]) is not None
    assert judged >= 2, "and silence would have been noticed"
