"""Which recorded file answers which request."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mds_engine.simulator.recorded import Recording, Recordings, TimedFrame

_JSON = "application/json;charset=utf-8"
STREAM_PATH = "/streamer"


def recordings() -> Recordings:
    """The table. A chart is found by its symbol and period; a mere range gets the newest of the symbol."""
    return Recordings(
        (
            _chart("AAPL", "chart-AAPL-2020-01-01-to-2020-01-03.json", {"period1": "1577*"}),
            _chart("AAPL", "chart-AAPL-2020-08-31-to-2020-11-07.json", {"period1": "1598*"}),
            _chart(
                "AAPL",
                "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json",
                {"period1": "1738*", "interval": "1m"},
            ),
            _chart("AAPL", "chart-AAPL-2020-08-31-to-2020-11-07.json", {"range": "*"}),
            _chart("BTC-USD", "chart-BTC-USD-2020-01-01-to-2020-01-03.json", {}),
            _chart("EURUSD=X", "chart-EURUSD=X-2020-01-01-to-2020-01-03.json", {}),
            _chart("0P000071W8.TO", "chart-0P000071W8.TO-2020-01-01-to-2020-01-03.json", {}),
            Recording(
                "/v8/finance/chart/^GSPC", "chart-GSPC-partial.json", {"interval": "1d"}, content_type=_JSON
            ),
            _quote("AAPL,BABA", "quote-AAPL-BABA.json"),
            _quote("AAPL,NONEXIST", "quoteCombine-AAPL-NONEXIST.json"),
            _quote("NONEXIST", "quoteCombine-NONEXIST.json"),
            _quote("AAPL220121C00025000", "quote-AAPL220121C00025000.json"),
            _quote("^VXAPL", "quote-^VXAPL.json"),
            _quote("AAPL", "quote-AAPL.json"),
            Recording(STREAM_PATH, "stream_messages.jsonl", frames=_stream_frames),
        )
    )


def _chart(symbol: str, file: str, query: Mapping[str, str]) -> Recording:
    """A chart of days, unless the query says otherwise."""
    wanted = {"interval": "1d", **query}
    return Recording(f"/v8/finance/chart/{symbol}", file, wanted, content_type=_JSON, body=_body)


def _quote(symbols: str, file: str) -> Recording:
    return Recording("/v7/finance/quote", file, {"symbols": symbols}, content_type=_JSON, body=_body)


def _body(content: bytes) -> bytes:
    """The files hold request and response; the body is among the response."""
    document: Any = json.loads(content)
    return json.dumps(document["response"]["bodyJson"], separators=(",", ":")).encode()


def _stream_frames(content: bytes) -> Sequence[TimedFrame]:
    """The file has one object a line; what was on the wire is its message in the protocol's envelope."""
    messages = [json.loads(line)["message"] for line in content.decode().splitlines() if line]
    return [
        TimedFrame(0.0, json.dumps({"type": "pricing", "message": message}, separators=(",", ":")))
        for message in messages
    ]
