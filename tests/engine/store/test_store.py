"""What is acknowledged survives; what cannot be written is said, and not lost."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from mds_engine.store.sqlite import Entry, Store, StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "engine.sqlite"


async def test_what_is_committed_is_read_by_the_next_store(path: Path) -> None:
    store = Store.open(path)
    store.put("meters", "kite", b"one")
    store.put("meters", "kite", b"two")
    store.put("meters", "yahoo", b"three", until=50.0)
    store.remove("meters", "nobody")
    store.append("events", 10.0, b"first")
    store.append("events", 11.0, b"second")
    await store.committed()
    store.close()

    again = Store.open(path)
    assert again.entries("meters", now=49.0) == [Entry("kite", b"two", None), Entry("yahoo", b"three", 50.0)]
    assert again.entries("meters", now=50.0) == [Entry("kite", b"two", None)]
    assert [line.body for line in again.log("events")] == [b"first", b"second"]
    again.close()


async def test_a_removed_value_is_gone(path: Path) -> None:
    store = Store.open(path)
    store.put("ban", "binance/default", b"x")
    store.remove("ban", "binance/default")
    await store.committed()
    assert store.entries("ban", now=0.0) == []
    store.close()


async def test_of_many_changes_the_last_is_kept(path: Path) -> None:
    store = Store.open(path)
    for number in range(5000):
        store.put("meters", "kite", b"%d" % number)
        if number % 7 == 0:
            store.remove("meters", "kite")
    await store.committed()
    assert [entry.value for entry in store.entries("meters", 0.0)] == [b"4999"]
    store.close()


def test_close_writes_what_is_queued(path: Path) -> None:
    store = Store.open(path)
    store.append("events", 1.0, b"last words")
    store.close()
    store.close()
    again = Store.open(path)
    assert [line.body for line in again.log("events")] == [b"last words"]
    again.close()


def test_a_closed_store_takes_nothing(path: Path) -> None:
    store = Store.open(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.put("kind", "key", b"")
    with pytest.raises(StoreError, match="closed"):
        store.flush()


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    writer = """
        import sys, time
        from pathlib import Path
        from mds_engine.store.sqlite import Store
        store = Store.open(Path(sys.argv[1]))
        for number in range(500):
            store.append("audit", float(number), b"command %d" % number)
            store.put("meters", "kite", b"%d" % number)
            store.flush()
            print(number, flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(writer), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 200:
            break
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.stdout.close()
    process.wait()

    store = Store.open(path)
    assert [line.body for line in store.log("audit", limit=10_000)][: acknowledged + 1] == [
        b"command %d" % number for number in range(acknowledged + 1)
    ]
    assert int(store.entries("meters", now=0.0)[0].value) >= acknowledged
    store.close()


async def test_many_waiters_share_few_commits(path: Path) -> None:
    store = Store.open(path)

    async def one(number: int) -> None:
        store.append("events", float(number), b"%d" % number)
        await store.committed()

    await asyncio.gather(*(one(number) for number in range(300)))
    assert [line.body for line in store.log("events")] == [b"%d" % number for number in range(300)]
    store.close()


async def test_log_lines_older_than_their_retention_go(path: Path) -> None:
    store = Store.open(path, {"events": 100.0})
    store.append("events", 0.0, b"old")
    store.append("audit", 0.0, b"kept for good")
    await store.committed()
    store.append("events", 5000.0, b"new")
    await store.committed()
    assert [line.body for line in store.log("events")] == [b"new"]
    assert [line.body for line in store.log("audit")] == [b"kept for good"]
    store.close()


async def test_the_latest_lines_come_oldest_first_and_numbers_ascend_over_restarts(path: Path) -> None:
    for round_ in range(2):
        store = Store.open(path)
        for number in range(3):
            store.append("events", round_ * 10.0 + number, b"%d-%d" % (round_, number))
        store.close()
    store = Store.open(path)
    lines = store.log("events", limit=4)
    assert [line.body for line in lines] == [b"0-2", b"1-0", b"1-1", b"1-2"]
    assert [line.number for line in lines] == sorted({line.number for line in lines})
    assert [line.body for line in store.log("events", since=11.0)] == [b"1-1", b"1-2"]
    store.close()


@pytest.mark.parametrize("table", ["log", "kept"])
async def test_what_a_failed_commit_held_is_written_once_and_does_not_undo_what_came_since(
    path: Path, table: str
) -> None:
    store = Store.open(path)
    await store.committed()
    other = sqlite3.connect(path, isolation_level=None)
    # A table gone stands in for a disk that fails in the middle of a commit.
    other.execute("BEGIN IMMEDIATE")
    other.execute(f"ALTER TABLE {table} RENAME TO hidden")
    store.append("events", 1.0, b"one")
    store.put("meters", "kite", b"older")
    store.put("meters", "yahoo", b"kept")
    committing = asyncio.ensure_future(store.committed())
    # Until the writer has taken them, and waits for the other connection.
    while store._queue.lines:  # noqa: ASYNC110
        await asyncio.sleep(0)
    store.put("meters", "kite", b"newer")
    store.append("events", 2.0, b"two")
    other.execute("COMMIT")
    with pytest.raises(StoreError, match="cannot be used"):
        await committing
    assert store.failure is not None
    other.execute(f"ALTER TABLE hidden RENAME TO {table}")
    other.close()
    await store.committed()
    assert store.failure is None
    assert [line.body for line in store.log("events")] == [b"one", b"two"]
    assert {entry.key: entry.value for entry in store.entries("meters", 0.0)} == {
        "kite": b"newer",
        "yahoo": b"kept",
    }
    store.close()


def test_a_disk_without_room_is_named_as_such_and_nothing_is_lost(path: Path) -> None:
    # The operating system's own limit on the size of a file stands in for the end of the disk.
    writer = """
        import resource, sys
        from pathlib import Path
        from mds_engine.store.sqlite import Store, StoreError
        store = Store.open(Path(sys.argv[1]))
        store.append("events", 0.0, b"before")
        store.flush()
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
        store.append("events", 1.0, b"y" * 300_000)
        try:
            store.flush()
        except StoreError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        store.flush()
        print([len(line.body) for line in store.log("events")])
        store.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(writer), str(path)], capture_output=True, text=True, check=True
    )
    sentence, written = done.stdout.splitlines()
    assert "is full or refuses to write: make room; nothing is lost until then" in sentence
    assert written == "[6, 300000]"


def test_a_path_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be written: check that the folder exists") as caught:
        Store.open(tmp_path / "file" / "engine.sqlite")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    path.write_bytes(b"my diary" * 1000)
    with pytest.raises(StoreError, match="damaged or not a state file"):
        Store.open(path)
    assert path.read_bytes() == b"my diary" * 1000


def test_a_caller_that_gives_up_waiting_does_not_stop_the_writer(path: Path) -> None:
    async def impatient() -> Store:
        store = Store.open(path)
        store.append("events", 1.0, b"one")
        waiting = asyncio.ensure_future(store.committed())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        store.append("events", 2.0, b"two")
        await store.committed()
        return store

    store = asyncio.run(impatient())
    assert [line.body for line in store.log("events")] == [b"one", b"two"]
    store.close()
