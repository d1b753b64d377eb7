"""The command that logs in at a vendor: first it asks for the page, then it brings what the page gave."""

import msgspec

from mds_engine.control import commands
from mds_engine.control.commands import CommandResult
from mds_engine.logins import Logins
from mds_engine.orders.finding import Finder


class LoginOrders:
    """Raises InvalidRequest where nobody can log in, and the SourceError of a vendor that refuses."""

    def __init__(self, find: Finder, logins: Logins) -> None:
        self._find = find
        self._logins = logins

    async def log_in(self, command: commands.Login) -> CommandResult:
        """The page, where the command brings nothing; else the exchange."""
        runtime = self._find.source(command.source)
        if isinstance(command.answer, msgspec.UnsetType):
            page = self._logins.page(runtime)
            return CommandResult(
                accepted=True, message=f"asked for the login page of {runtime.name}", page=page
            )
        return CommandResult(accepted=True, message=await self._logins.log_in(runtime, command.answer))
