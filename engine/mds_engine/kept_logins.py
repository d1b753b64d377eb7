"""What logins gave, over a restart of the engine and over another configuration of a source."""

import asyncio
from pathlib import Path

from mds_engine.config.schema import EngineSettings
from mds_engine.log import get_logger
from mds_engine.store.credentials import Credentials, CredentialsError, CredentialStore
from mds_engine.store.keyring_box import KeyringBox

_log = get_logger(__name__)


def credentials_of(settings: EngineSettings) -> CredentialStore | None:
    """Where the logins of an engine are kept: beside its state; None where it keeps none."""
    state = settings.state_file()
    if state == ":memory:":
        return None
    return CredentialStore(Path(state).with_suffix(".credentials.json"), settings.name, KeyringBox())


class KeptLogins:
    """By source and account; see `CredentialStore`. Nothing here raises."""

    def __init__(self, store: CredentialStore | None) -> None:
        """Without a `store` they are kept for the life of the engine."""
        self._store = store
        self._done: dict[tuple[str, str], Credentials] = {}
        self._stamp = 0 if store is None else store.stamp()
        self.trouble = ""
        """Why a login that was kept cannot be used, in one sentence; empty while nothing is wrong."""

    async def keep(self, source: str, account: str, given: Credentials) -> str:
        """Returns where it is, or why it is not kept over a restart, in words."""
        self.remember(source, account, given)
        if self._store is None:
            return "kept until the engine ends"
        try:
            where = await asyncio.to_thread(self._store.keep, source, account, given)
        except CredentialsError as error:
            _log.warning("login_not_kept", source=source, why=str(error))
            return f"not kept over a restart: {error}"
        self._stamp, self.trouble = self._store.stamp(), ""
        return f"kept {where}"

    def remember(self, source: str, account: str, given: Credentials) -> None:
        """Have it at hand while the engine lives."""
        self._done[source, account] = given

    async def last(self, source: str, account: str) -> Credentials | None:
        """The last login that is known, also when it has ended."""
        done = self._done.get((source, account))
        return done if done is not None else await self.written(source, account)

    async def written(self, source: str, account: str) -> Credentials | None:
        """The last one that was written down, by whatever process."""
        if self._store is None:
            return None
        try:
            return await asyncio.to_thread(self._store.find, source, account)
        except CredentialsError as error:
            self.trouble = str(error)
            _log.warning("login_not_found", source=source, why=str(error))
            return None

    def has_news(self) -> bool:
        """Whether another process has written since this was last asked."""
        if self._store is None:
            return False
        before, self._stamp = self._stamp, self._store.stamp()
        return before != self._stamp
