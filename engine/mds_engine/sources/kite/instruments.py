"""The tokens by which Kite knows instruments, fetched once a day, an exchange at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from mds_engine.clock import Clock
from mds_engine.errors import NotFound
from mds_engine.model import Instrument
from mds_engine.sources.kite.decode_instruments import decode_tokens
from mds_engine.sources.kite.times import next_dump_after

FetchList = Callable[[str], Awaitable[bytes]]
"""Gets the CSV of one exchange, paid for. Raises a SourceError."""

AskTokens = Callable[[Sequence[Instrument]], Awaitable[dict[Instrument, int]]]
"""Asks for the tokens of single instruments, paid for; unknown ones are missing. Raises a SourceError."""


class InstrumentList:
    """Instrument to token, and back. Nothing is fetched before it is needed.

    What the list of the day lacks (renamed or newly listed since) is asked for
    by name, once until the next list: a quote bears its instrument's token.
    """

    def __init__(self, clock: Clock, fetch: FetchList, ask: AskTokens) -> None:
        self._clock = clock
        self._fetch = fetch
        self._ask = ask
        self._tokens: dict[str, dict[Instrument, int]] = {}
        self._unknown: dict[str, set[Instrument]] = {}
        self._stale_at: dict[str, float] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def token(self, instrument: Instrument) -> int:
        """The token of one instrument. Raises NotFound, or what the fetching raises."""
        for token in await self.tokens([instrument]):
            return token
        raise NotFound(f"Kite lists no {instrument}")

    async def tokens(self, instruments: Iterable[Instrument]) -> dict[int, Instrument]:
        """Token to instrument, of those that Kite knows."""
        found: dict[int, Instrument] = {}
        unlisted: list[Instrument] = []
        for instrument in instruments:
            token = (await self._of_exchange(instrument.exchange)).get(instrument)
            if token is not None:
                found[token] = instrument
            elif instrument not in self._unknown[instrument.exchange]:
                unlisted.append(instrument)
        if unlisted:
            named = await self._ask(unlisted)
            for instrument in unlisted:
                if (token := named.get(instrument)) is None:
                    self._unknown[instrument.exchange].add(instrument)
                else:
                    self._tokens[instrument.exchange][instrument] = token
                    found[token] = instrument
        return found

    async def _of_exchange(self, exchange: str) -> dict[Instrument, int]:
        if self._is_fresh(exchange):
            return self._tokens[exchange]
        async with self._fetching.setdefault(exchange, asyncio.Lock()):
            if not self._is_fresh(exchange):
                body = await self._fetch(exchange)
                # A hundred thousand rows take a third of a second: not on the event loop.
                self._tokens[exchange] = await asyncio.to_thread(decode_tokens, body)
                self._unknown[exchange] = set()
                self._stale_at[exchange] = next_dump_after(self._clock.wall())
            return self._tokens[exchange]

    def _is_fresh(self, exchange: str) -> bool:
        return self._clock.wall() < self._stale_at.get(exchange, 0.0)
