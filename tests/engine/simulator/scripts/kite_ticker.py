"""KiteTicker against the simulator, unmodified but for `root`: prints what it received as JSON.

Waits for a heartbeat before it subscribes, then for ticks. Arguments: WebSocket
URL, API key, access token, number of full ticks wanted.
"""

import json
import logging
import sys

from kiteconnect import KiteTicker

INFY, NIFTY = 408065, 256265


def main(root: str, api_key: str, access_token: str, wanted: str) -> None:
    logging.disable(logging.CRITICAL)
    ticker = KiteTicker(api_key, access_token, root=root)
    heartbeats: list[int] = []
    texts: list[dict] = []
    ticks: list[dict] = []

    def on_message(_socket: object, payload: bytes, is_binary: bool) -> None:
        if not is_binary:
            texts.append(json.loads(payload))
        elif len(payload) == 1:
            heartbeats.append(1)
            if len(heartbeats) == 1:
                ticker.subscribe([INFY, NIFTY])
                ticker.set_mode(ticker.MODE_FULL, [INFY, NIFTY])

    def on_ticks(_socket: object, received: list[dict]) -> None:
        ticks.extend(tick for tick in received if tick["mode"] == "full")
        if sum(tick["tradable"] for tick in ticks) >= int(wanted):
            ticker.stop()

    ticker.on_message, ticker.on_ticks = on_message, on_ticks
    ticker.connect()
    json.dump(
        {"heartbeats": len(heartbeats), "texts": texts, "ticks": ticks},
        sys.stdout,
        default=lambda moment: moment.timestamp(),
    )


main(*sys.argv[1:])
