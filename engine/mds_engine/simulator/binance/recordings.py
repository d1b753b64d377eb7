"""Which request is answered by which recorded file, and how recorded frames are played.

| request                                         | file                                        |
| ----------------------------------------------- | ------------------------------------------- |
| time                                            | http_spot_market_time.json                  |
| exchangeInfo with symbol or symbols             | http_spot_market_exchange_info.json         |
| exchangeInfo                                    | exchangeInfo_2021-10_slice.json             |
| klines BTCUSDT 1m                               | http_spot_market_klines.json                |
| ticker/price, ticker/bookTicker, aggTrades,     | http_spot_market_….json                     |
| depth of BTCUSDT                                |                                             |
| ticker/24hr BNBBTC                              | docs_http_ticker_24hr.json                  |
| depth of NKNUSDT, BLZETH, LRCBTC, RUNEEUR       | rest_depth_2021-10-12.cryptofeed.log.gz     |
| archives                                        | rebuilt/<name>                              |
| streams                                         | the log that has the stream, see `_LOGS`    |

Anything else is answered as an unknown symbol is. A stream plays its frames
once, from the moment it is subscribed, in the order of the log; on a raw
connection the payload is cut out of the recorded frame, byte for byte.
"""

import gzip
import heapq
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from operator import attrgetter
from pathlib import Path

from mds_engine.clock import Clock
from mds_engine.simulator.recorded import Recording, Recordings, TimedFrame
from mds_engine.simulator.stream import Stream

_LOGS = (
    ("btcusdt@trade", "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz"),
    ("btcusdt@bookTicker", "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz"),
    ("btcusdt@depth@100ms", "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz"),
    ("ethusdt@trade", "ws_spot_ethusdt_20240808_head.hftbacktest.log.gz"),
    ("ethusdt@bookTicker", "ws_spot_ethusdt_20240808_head.hftbacktest.log.gz"),
    ("ethusdt@depth@100ms", "ws_spot_ethusdt_20240808_head.hftbacktest.log.gz"),
    ("dotusdt@*", "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"),
    ("btcusdt@*", "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"),
    ("ethusdt@*", "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"),
    ("nknusdt@*", "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"),
    ("blzeth@*", "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"),
    ("lrcbtc@*", "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"),
    ("runeeur@*", "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"),
    ("belbtc@*", "ws_binanceTR_2023-04-10.cryptofeed.log.gz"),
    ("xemusdt@*", "ws_binanceTR_2023-04-10.cryptofeed.log.gz"),
    ("ltcbrl@*", "ws_binanceTR_2023-04-10.cryptofeed.log.gz"),
    ("elfbusd@*", "ws_binanceTR_2023-04-10.cryptofeed.log.gz"),
)

_DEPTH_LOG = "rest_depth_2021-10-12.cryptofeed.log.gz"


def table() -> Recordings:
    """The table of REST answers and archives."""
    return Recordings((*_rest_rows(), *_archive_rows()))


async def play(
    folder: Path, names: Sequence[str], stream: Stream, clock: Clock, pace: float, combined: bool
) -> None:
    """Send the recorded frames of these streams, in the order in which they came."""
    began: float | None = None
    for frame in frames_of(folder, names):
        began = frame.at if began is None else began
        if pace > 0:
            await clock.sleep((frame.at - began) / pace)
            began = frame.at
        text = str(frame.data)
        await stream.replay(text if combined else _payload(text))


def frames_of(folder: Path, names: Sequence[str]) -> Iterator[TimedFrame]:
    """The recorded frames of these streams, whole, oldest first; `at` is the epoch second of arrival."""
    files = {file for file in map(_log_of, names) if file is not None and (folder / file).is_file()}
    logs = [_read_log(folder / file, frozenset(names)) for file in sorted(files)]
    return heapq.merge(*logs, key=attrgetter("at"))


def _log_of(name: str) -> str | None:
    return next((file for pattern, file in _LOGS if fnmatchcase(name, pattern)), None)


_FRAME = re.compile(r'(?P<at>[\d.]+):? (?P<frame>\{"stream":"(?P<name>[^"]+)".*\})\n?\Z')
_WRAPPED = re.compile(r'\{"stream":"[^"]+","data":(?P<payload>.*)\}\Z', re.DOTALL)


def _read_log(path: Path, names: frozenset[str]) -> Iterator[TimedFrame]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            found = _FRAME.match(line)
            if found is not None and found["name"] in names:
                # One log counts nanoseconds, the others seconds.
                at = float(found["at"])
                yield TimedFrame(at / 1e9 if at > 1e15 else at, found["frame"])


def _payload(frame: str) -> str:
    found = _WRAPPED.match(frame)
    return frame if found is None else found["payload"]


def _rest_rows() -> Iterator[Recording]:
    api = "/api/v3/"
    btc = {"symbol": "BTCUSDT"}
    yield Recording(api + "time", "http_spot_market_time.json")
    for choice in ("symbol", "symbols"):
        yield Recording(api + "exchangeInfo", "http_spot_market_exchange_info.json", query={choice: "*"})
    yield Recording(api + "exchangeInfo", "exchangeInfo_2021-10_slice.json")
    yield Recording(api + "klines", "http_spot_market_klines.json", query={**btc, "interval": "1m"})
    yield Recording(api + "ticker/price", "http_spot_market_ticker_price.json", query=btc)
    yield Recording(api + "ticker/bookTicker", "http_spot_market_book_ticker.json", query=btc)
    yield Recording(api + "ticker/24hr", "docs_http_ticker_24hr.json", query={"symbol": "BNBBTC"})
    # Nobody recorded a day of BTCUSDT; its price, which the day's answer holds too, stands in.
    yield Recording(api + "ticker/24hr", "http_spot_market_ticker_price.json", query=btc)
    yield Recording(api + "aggTrades", "http_spot_market_agg_trades.json", query=btc)
    yield Recording(api + "depth", "http_spot_market_depth.json", query=btc)
    for symbol in ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"):
        yield Recording(
            api + "depth", _DEPTH_LOG, query={"symbol": symbol}, body=partial(_depth_body, symbol=symbol)
        )


def _archive_rows() -> Iterator[Recording]:
    archive = "BTCUSDT-1h-2025-01.zip"
    folder = "/data/spot/monthly/klines/BTCUSDT/1h/"
    yield Recording(folder + archive, f"rebuilt/{archive}", content_type="application/zip")
    checksum = f"{archive}.CHECKSUM"
    yield Recording(folder + checksum, f"rebuilt/{checksum}", content_type="binary/octet-stream")


def _depth_body(log: bytes, symbol: str) -> bytes:
    for line in log.splitlines():
        head, _, body = line.partition(b": ")
        if f"symbol={symbol}&".encode() in head:
            return body
    return b""
