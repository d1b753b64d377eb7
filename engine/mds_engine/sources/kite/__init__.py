"""Zerodha Kite Connect v3: REST and the binary stream of the Indian exchanges."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mds_engine.model import Instrument, Interval
from mds_engine.secret import Secret
from mds_engine.sources.contract import (
    UNTOLD,
    DecodeKind,
    FrameDecoder,
    Source,
    SourceContext,
    SourcePlugin,
    VendorLogin,
)
from mds_engine.sources.kite.settings import KiteSettings

if TYPE_CHECKING:
    from mds_engine.model import Bars, Quote, Tick
    from mds_engine.sources.kite.decode_instruments import KiteInstrument

_FROM_A_FILE = Instrument("KITE", UNTOLD)
"""Candles do not say whose they are."""


def _create(settings: KiteSettings, context: SourceContext) -> Source:
    from mds_engine.sources.kite.rest import KiteSource

    return KiteSource(settings, context)


def _ticker(payload: bytes) -> "Iterable[Tick]":
    from mds_engine.sources.kite.capture import decode_ticker_file

    return decode_ticker_file(payload)


def _quote(payload: bytes) -> "Iterable[Quote]":
    from mds_engine.sources.kite.decode_rest import decode_quotes

    return decode_quotes(_data(payload)).values()


def _historical(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.kite.decode_rest import decode_historical

    return [decode_historical(_data(payload), _FROM_A_FILE, Interval.M1)]


def _instruments(payload: bytes) -> "Iterable[KiteInstrument]":
    from mds_engine.sources.kite.decode_instruments import decode_instruments

    return decode_instruments(_data(payload))


def _data(payload: bytes) -> bytes:
    """The body, alone or kept with its HTTP status. Raises what it refuses."""
    from mds_engine.sources.captured import captured_reply
    from mds_engine.sources.kite.errors import classify, classify_body
    from mds_engine.sources.scrub import Scrubber

    reply = captured_reply(payload)
    body = payload if reply is None else reply.body
    error = classify_body(body) if reply is None else classify(reply, wall=0.0, scrub=Scrubber())
    if error is not None:
        raise error
    return body


def _frames(source: str) -> FrameDecoder:
    from mds_engine.sources.kite.frames import KiteFrames

    return KiteFrames(source)


def _missing(settings: KiteSettings) -> str:
    from mds_engine.sources.kite.login import missing

    return missing(settings)


def _page(settings: KiteSettings) -> str:
    from mds_engine.sources.kite.login import login_page

    return login_page(settings)


async def _exchange(settings: KiteSettings, answer: Secret) -> Mapping[str, Secret]:
    from mds_engine.sources.kite.login import exchange

    return await exchange(settings, answer)


def _ends_at(wall: float) -> float:
    from mds_engine.sources.kite.times import login_ends_at

    return login_ends_at(wall)


_LOGIN = VendorLogin(
    brings="the address that the browser is sent to, or the request_token in it",
    account=("api_key",),
    gives=("access_token",),
    missing=_missing,
    page=_page,
    exchange=_exchange,
    ends_at=_ends_at,
    honoured_s=3600.0,
)

_DECODERS: dict[str, DecodeKind] = {
    "ticker": DecodeKind(
        _ticker, "lines", "stream frames, binary or a line of base64 each; also bare packets"
    ),
    "quote": DecodeKind(_quote, "body", "GET /quote"),
    "ohlc": DecodeKind(_quote, "body", "GET /quote/ohlc or /quote/ltp"),
    "historical": DecodeKind(_historical, "body", "GET /instruments/historical/…"),
    "instruments": DecodeKind(_instruments, "body", "GET /instruments, CSV"),
}

plugin: SourcePlugin = SourcePlugin(
    kind="kite",
    title="Zerodha Kite",
    settings=KiteSettings,
    create=_create,
    needs_key=True,
    decoders=_DECODERS,
    frame_decoder=_frames,
    login=_LOGIN,
)
