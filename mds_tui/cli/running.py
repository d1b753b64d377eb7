"""An engine for the length of one verb."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from mds_tui.cli.exits import say
from mds_tui.cli.settings import Settings

if TYPE_CHECKING:
    from mds_engine.engine import Engine

Answer = TypeVar("Answer")


async def with_engine(
    settings: Settings,
    ask: "Callable[[Engine], Coroutine[Any, Any, Answer]]",
    *,
    only: str | None = None,
    lasts: bool = False,
) -> Answer:
    """The answer of an engine on the configuration in force, which ends with it; or on `only` one source.

    `lasts`: it goes on for a while, so that another engine on the same state matters.
    """
    import msgspec
    from mds_engine.engine import Engine

    from mds_tui.cli.logs import logging_to
    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    config = settings.load(vendors).config
    # Nobody looks at a watch list here, and its subscriptions would cost calls.
    bare = msgspec.structs.replace(config, console=msgspec.structs.replace(config.console, watch=()))
    if only is not None:
        bare = msgspec.structs.replace(bare, sources={only: bare.sources[only]}, exchanges={})
    with logging_to(config.engine.log_file()):
        async with Engine(bare, vendors, lasts=lasts) as engine:
            trouble = engine.snapshot().engine.trouble
            if trouble:
                say(f"warning: {trouble}")
            return await ask(engine)
