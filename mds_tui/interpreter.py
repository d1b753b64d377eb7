"""How Python itself is set for a console: two threads, of which one has somebody in front of it."""

import gc
import sys

STEADY_AFTER_S = 5.0
"""After the first picture: by then all that a console is made of is loaded."""
_TURN_S = 0.001


def take_short_turns() -> None:
    """Have the engine's thread make way for a key within a millisecond.

    It is busy for tens of milliseconds when it makes a picture of thousands of instruments, and a key waits
    for several turns on its way to the screen; Python's own five milliseconds a turn were seen by the eye.
    """
    sys.setswitchinterval(_TURN_S)


def spare_what_lasts() -> None:
    """Have all that is there now not be looked at again by the collector.

    Modules, classes and style sheets are a hundred thousand objects that never go. Whenever the collector
    looks through them both threads stand still for 70 ms, ticks and keys alike.
    """
    gc.collect()
    gc.freeze()
