"""yfinance against the simulator, unmodified but for a session that swaps the host: prints JSON.

Arguments: base URL, then symbols.
"""

import json
import logging
import sys
from urllib.parse import urlsplit, urlunsplit

import pandas as pd
import yfinance as yf
from curl_cffi import requests


class LocalSession(requests.Session):
    """Sends everything to one base URL."""

    base = ""

    def request(self, method, url, *arguments, **named):
        scheme, host = urlsplit(self.base)[:2]
        return super().request(method, urlunsplit((scheme, host, *urlsplit(url)[2:])), *arguments, **named)


def main(base: str, *names: str) -> None:
    logging.disable(logging.CRITICAL)
    LocalSession.base = base
    session = LocalSession(impersonate="chrome")
    answers = {}
    for name in names:
        ticker = yf.Ticker(name, session=session)
        minutes = ticker.history(period="1d", interval="1m", auto_adjust=False)
        days = ticker.history(period="1y", interval="1d", auto_adjust=False)
        answers[name] = {
            "minutes": _rows(minutes),
            "days": _rows(days),
            "weeks": len(ticker.history(period="1y", interval="1wk", auto_adjust=False)),
            "dividends": len(ticker.dividends),
            "fast": {
                key: ticker.fast_info[key]
                for key in ("lastPrice", "currency", "timezone", "exchange", "yearHigh", "previousClose")
            },
            "info": {
                key: ticker.info.get(key)
                for key in ("regularMarketPrice", "regularMarketVolume", "quoteType", "symbol", "longName")
            },
        }
    unknown = yf.Ticker("NOSUCHTHING", session=session)
    answers["unknown"] = len(unknown.history(period="5d"))
    json.dump(answers, sys.stdout)


def _rows(frame: pd.DataFrame) -> list[list[float]]:
    columns = ("Open", "High", "Low", "Close", "Adj Close", "Volume")
    return [[at.timestamp(), *(row[name] for name in columns)] for at, row in frame.iterrows()]


main(*sys.argv[1:])
