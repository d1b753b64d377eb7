"""The engine's records, read back as they were written."""

from pathlib import Path

import msgspec
import pytest
from mds_engine.control.commands import ForceBreaker, ForcedState, Pin
from mds_engine.control.events import FailedOver, LoginNeeded
from mds_engine.store.records import RETENTION_S, Audit, Ban, Override, Records
from mds_engine.store.sqlite import Store


class Meters(msgspec.Struct, frozen=True):
    calls_today: int
    spent: str


class NewerMeters(msgspec.Struct, frozen=True):
    calls_today: int
    spent: str
    month: str


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sqlite"


def restart(store: Store) -> Store:
    store.close()
    return Store.open(store.path, RETENTION_S)


def test_everything_comes_back_after_a_restart(path: Path) -> None:
    store = Store.open(path, RETENTION_S)
    records = Records(store)
    pin = Pin(route="NSE/quote", source="yahoo", by="asha", why="kite is slow")
    force = ForceBreaker(source="kite", state=ForcedState.OPEN, why="maintenance")
    ban = Ban(source="binance", group="default", until=500.0, why="418")
    events = [
        FailedOver(number=1, at=5.0, route="NSE/quote", before="kite", after="yahoo", why="refused"),
        LoginNeeded(number=2, at=6.0, source="kite", why="token expired"),
    ]
    records.keep_meters("kite", Meters(7, "0.35"))
    records.keep_ban(ban)
    records.keep_override(Override(subject="route:NSE/quote", command=pin, until=900.0))
    records.keep_override(Override(subject="breaker:kite", command=force))
    for event in events:
        records.record(event)
    records.record_audit(Audit(at=4.0, command=pin, applied=True, message="pinned"))

    store = restart(store)
    records = Records(store)
    assert records.meters(Meters, now=100.0) == {"kite": Meters(7, "0.35")}
    assert records.bans(now=100.0) == [ban]
    assert {kept.subject: kept.command for kept in records.overrides(now=100.0)} == {
        "route:NSE/quote": pin,
        "breaker:kite": force,
    }
    assert records.events() == events
    assert [line.command for line in records.audit()] == [pin]
    assert records.unreadable == []
    store.close()


def test_what_ended_while_the_engine_was_down_does_not_come_back(path: Path) -> None:
    store = Store.open(path)
    records = Records(store)
    records.keep_ban(Ban(source="binance", group="default", until=500.0))
    records.keep_override(
        Override(subject="route:NSE/quote", command=Pin(route="NSE/quote", source="yahoo"), until=900.0)
    )
    records.keep_ban(Ban(source="yahoo", group="default", until=5000.0))
    records.lift_ban("yahoo", "default")
    records.keep_override(
        Override(subject="breaker:kite", command=ForceBreaker(source="kite", state=ForcedState.OPEN))
    )
    records.end_override("breaker:kite")
    store = restart(store)
    records = Records(store)
    assert records.bans(now=1000.0) == []
    assert records.overrides(now=1000.0) == []
    store.close()


def test_a_dump_of_another_version_is_told_and_left_out(path: Path) -> None:
    store = Store.open(path)
    Records(store).keep_meters("kite", Meters(7, "0.35"))
    store = restart(store)
    records = Records(store)
    assert records.meters(NewerMeters, now=0.0) == {}
    assert "meters kite" in records.unreadable[0]
    store.close()
