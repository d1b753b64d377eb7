"""Kite's live stream: binary ticks, a heartbeat, and now and then a text."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlencode

import msgspec

from mds_engine.errors import InvalidPayload, InvalidRequest, NotFound, Unavailable
from mds_engine.model import Instrument
from mds_engine.sources.contract import Deliver, SourceContext, StreamLimits, TickStream
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.kite.decode_batch import TickerDecoder
from mds_engine.sources.kite.errors import classify_message
from mds_engine.sources.kite.settings import KiteSettings
from mds_engine.sources.websocket import WebSocketShell

FindTokens = Callable[[Iterable[Instrument]], Awaitable[dict[int, Instrument]]]

_TOKENS_A_CONNECTION = 3000
STREAM_LIMITS = StreamLimits(instruments=_TOKENS_A_CONNECTION, connections=3)
_LOOKS_A_SILENCE = 4


class _Text(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw()


_TEXT = msgspec.json.Decoder(_Text)


class KiteStream(TickStream):
    """Ticks of up to 3000 instruments. Kite allows three such connections an API key."""

    def __init__(
        self,
        settings: KiteSettings,
        context: SourceContext,
        endpoints: Endpoints,
        find_tokens: FindTokens,
        deliver: Deliver,
    ) -> None:
        self._settings = settings
        self._clock = context.clock
        self._source = context.name
        self._find_tokens = find_tokens
        self._deliver = deliver
        self._tap = context.frame_tap()
        self._socket = WebSocketShell(
            context.clock,
            endpoints,
            timeout_s=settings.timeout_s,
            secrets=(settings.api_key, settings.access_token),
            tap=self._tap,
        )
        self._instruments: dict[int, Instrument] = {}
        self._decoder = TickerDecoder(self._instruments, context.name)
        self._came: list[bytes] = []

    async def open(self) -> None:
        query = {
            "api_key": self._settings.api_key.reveal(),
            "access_token": self._settings.access_token.reveal(),
        }
        await self._socket.open(f"/?{urlencode(query)}")
        self.last_frame_at = self._clock.now()

    async def run(self) -> None:
        """Also ends when nothing has come for `silence_s`: Kite's heartbeat is about one a second."""
        tasks = [
            asyncio.create_task(
                self._socket.pump(self._take, self._hand_on), name=f"{self._source}: receive"
            ),
            asyncio.create_task(self._watch(), name=f"{self._source}: watch the heartbeat"),
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """Those that Kite does not know are left out; raises NotFound if it lists none of them,
        InvalidRequest beyond 3000 a connection, and then asks for none."""
        wanted = tuple(instruments)
        tokens = await self._find_tokens(wanted)
        if wanted and not tokens:
            raise NotFound(f"Kite lists no {', '.join(map(str, wanted))}")
        new = [token for token in tokens if token not in self._instruments]
        if len(self._instruments) + len(new) > _TOKENS_A_CONNECTION:
            raise InvalidRequest(f"one Kite connection carries at most {_TOKENS_A_CONNECTION} instruments")
        if not new:
            return
        self._instruments.update((token, tokens[token]) for token in new)
        self._decoder.names_changed()
        if self._tap is not None:
            named = {str(token): str(tokens[token]) for token in new}
            self._tap.note(json.dumps({"instruments": named}).encode())
        # A bare subscription is in mode `quote`. Neither message is acknowledged.
        await self._socket.send(json.dumps({"a": "subscribe", "v": new}))
        await self._socket.send(json.dumps({"a": "mode", "v": [self._settings.stream_mode, new]}))

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        unwanted = set(instruments)
        tokens = [token for token, instrument in self._instruments.items() if instrument in unwanted]
        if tokens:
            await self._socket.send(json.dumps({"a": "unsubscribe", "v": tokens}))
            for token in tokens:
                del self._instruments[token]
            self._decoder.names_changed()

    async def close(self) -> None:
        await self._socket.close()

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self._read_text(frame)
        else:
            self._came.append(frame)

    def _hand_on(self) -> None:
        """What one read brought: in a flood many frames, which cost little more together than one alone."""
        self.last_frame_at = self._clock.now()
        came, self._came = self._came, []
        for ticks in self._decoder.decode_all(came, int(self._clock.wall() * 1e9)):
            self._deliver(ticks)

    async def _watch(self) -> None:
        silence_s = self._settings.silence_s
        while True:
            await self._clock.sleep(silence_s / _LOOKS_A_SILENCE)
            if self._clock.now() - self.last_frame_at >= silence_s:
                raise Unavailable(
                    f"the stream fell silent: no message for {silence_s:g} s, not even a heartbeat"
                )

    def _read_text(self, frame: str) -> None:
        """Orders, messages to people and news of the list are not ours; an error ends the stream."""
        try:
            text = _TEXT.decode(frame)
        except msgspec.DecodeError as error:
            raise InvalidPayload(
                f"a text of the stream cannot be read: {error}", raw=self._socket.scrub(frame)
            ) from error
        if text.type == "error":
            raise classify_message(bytes(text.data).decode().strip('"'), self._socket.scrub)
