"""Two processes on one state file: the second says so, until the first is gone."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
from mds_engine.clock import SystemClock
from mds_engine.config.schema import Config, EngineSettings
from mds_engine.engine import Engine
from mds_engine.store.occupancy import Occupancy

ANOTHER = """
    import asyncio, sys
    from mds_engine.config.schema import Config, EngineSettings
    from mds_engine.engine import Engine

    async def main():
        async with Engine(Config(engine=EngineSettings(state_path=sys.argv[1])), {}) as engine:
            print(engine.snapshot().engine.trouble, flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
"""


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def another(state):
    """An engine on that file in a process of its own, and the trouble that it told at its start."""
    running = []

    def begin():
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ANOTHER), str(state)], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        return process, process.stdout.readline().strip()

    yield begin
    for process in running:
        process.kill()
        process.communicate()


class QuickClock(SystemClock):
    """Its seconds are over at once."""

    async def sleep(self, seconds):
        await super().sleep(seconds / 1000)


async def test_the_second_of_two_processes_says_so_until_the_first_is_gone(state, another, fake_desk):
    process, trouble = another()
    assert trouble == "", "the first has nothing to say"
    async with fake_desk(QuickClock(), state_path=str(state)) as desk:
        assert desk.engine.snapshot().engine.trouble == (
            f"end process {process.pid} or this one: both run an engine on state.sqlite, and each counts "
            f"only its own calls against the vendors' limits ({state})"
        )
        assert (await desk.quote()).source == "a", "it works all the same"
        os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while desk.engine.snapshot().engine.trouble:  # noqa: ASYNC110  nothing tells of its end
                await asyncio.sleep(0)
        assert f"end process {os.getpid()} or" in another()[1], "now the file is ours"


async def test_one_process_after_the_other_has_nothing_to_say(state, another, fake_desk):
    for _ in range(2):
        async with fake_desk(SystemClock(), state_path=str(state)) as desk:
            assert desk.engine.snapshot().engine.trouble == ""
    assert another()[1] == ""


async def test_an_engine_that_follows_another_of_its_process_takes_the_file_over(state, another, fake_desk):
    before = fake_desk(SystemClock(), state_path=str(state))
    await before.engine.start()
    async with fake_desk(QuickClock(), state_path=str(state)) as second:
        assert second.engine.snapshot().engine.trouble == ""
        await before.engine.stop()
        trouble = ""
        async with asyncio.timeout(30):
            while f"end process {os.getpid()} or" not in trouble:
                process, trouble = await asyncio.to_thread(another)
                process.kill()
                process.wait()


async def test_a_question_beside_a_running_engine_is_nobodys_rival(state, another):
    config = Config(engine=EngineSettings(state_path=str(state)))
    async with Engine(config, {}, lasts=False):
        assert another()[1] == ""
    async with Engine(config, {}, lasts=False) as engine:
        assert engine.snapshot().engine.trouble == ""


def test_who_was_about_to_look_when_its_engine_ended_takes_nothing(state, another):
    ended = Occupancy(state)
    ended.leave()
    assert ended.take() is None
    assert another()[1] == ""


async def test_a_holder_that_could_not_write_its_number_is_told_without_it(state, fake_desk):
    first = Occupancy(state)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as on a full disk
    try:
        assert first.take() is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, told)
    async with fake_desk(SystemClock(), state_path=str(state)) as desk:
        assert desk.engine.snapshot().engine.trouble.startswith("end the other process or this one: ")
    first.leave()
    async with fake_desk(SystemClock(), state_path=str(state)) as desk:
        assert desk.engine.snapshot().engine.trouble == ""
