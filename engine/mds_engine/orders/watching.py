"""Commands about what is watched live."""

from collections.abc import Callable

from mds_engine.control import commands
from mds_engine.control.commands import CommandResult
from mds_engine.model import Instrument
from mds_engine.streams.hub import TickHub


class WatchOrders:
    """Puts instruments on the board, and takes them off. Each raises InvalidRequest for what is none."""

    def __init__(self, hub: TickHub, seed: Callable[[tuple[Instrument, ...]], None]) -> None:
        """`seed` puts a quote on the board for each instrument that is new."""
        self._hub = hub
        self._seed = seed

    def subscribe(self, command: commands.Subscribe) -> CommandResult:
        """Watch."""
        new = self._hub.watch(Instrument.parse(text) for text in command.instruments)
        self._seed(new)
        names = tuple(str(instrument) for instrument in new)
        reverse = commands.Unsubscribe(instruments=names, by=command.by) if names else None
        return CommandResult(
            accepted=True, message=f"watching {', '.join(names) or 'nothing new'}", reverse=reverse
        )

    def unsubscribe(self, command: commands.Unsubscribe) -> CommandResult:
        """Watch no longer."""
        gone = self._hub.unwatch(Instrument.parse(text) for text in command.instruments)
        names = tuple(str(instrument) for instrument in gone)
        reverse = commands.Subscribe(instruments=names, by=command.by) if names else None
        return CommandResult(
            accepted=True, message=f"no longer watching {', '.join(names) or 'anything'}", reverse=reverse
        )
