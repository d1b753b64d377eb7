"""Python's garbage collector, kept from what is there for good."""

import gc

STEADY_AFTER_S = 5.0
"""After the first picture: by then all that a console is made of is loaded."""


def spare_what_lasts() -> None:
    """Have all that is there now not be looked at again by the collector.

    Modules, classes and style sheets are a hundred thousand objects that never go. Whenever the collector
    looks through them both threads stand still for 70 ms, ticks and keys alike.
    """
    gc.collect()
    gc.freeze()
