"""The collector is spared what is there for good, once, and goes on with the rest."""

import asyncio
import subprocess
import sys

import mds_tui.app
from mds_tui.app import ConsoleApp
from mds_tui.settings import ConsoleSettings

SPARED = """
import gc, weakref
from mds_tui.interpreter import spare_what_lasts

class Node:
    pass

def circle():
    node = Node()
    node.itself = node
    return weakref.ref(node)

before = circle()
spare_what_lasts()
after = circle()
gc.collect()
print(gc.get_freeze_count() > 1000, before() is None, after() is None)
"""


def test_what_is_there_is_spared_and_what_comes_is_not() -> None:
    told = subprocess.run([sys.executable, "-c", SPARED], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True", "True"]


async def test_it_is_done_once_the_console_is_steady(link, times, monkeypatch) -> None:
    monkeypatch.setattr(mds_tui.app, "STEADY_AFTER_S", 0.001)
    steady = asyncio.Event()
    settings = ConsoleSettings(fps=0.01)
    app = ConsoleApp(link, settings=settings, now=times.now, wall=times.wall, when_steady=steady.set)
    async with app.run_test(), asyncio.timeout(30.0):
        await steady.wait()
