"""KiteConnect against the simulator, unmodified but for `root`: logs in, asks everything, prints JSON.

Arguments: base URL, API key, API secret, request token.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException, TokenException


def main(root: str, api_key: str, api_secret: str, request_token: str) -> None:
    kite = KiteConnect(api_key, root=root)
    refused = ""
    try:
        kite.quote("NSE:INFY")
    except TokenException as error:
        refused = str(error)
    session = kite.generate_session(request_token, api_secret)
    instruments = kite.instruments("NSE")
    infosys = next(row for row in instruments if row["tradingsymbol"] == "INFY")
    now = datetime.now(timezone(timedelta(hours=5, minutes=30))).replace(tzinfo=None)
    # Off the whole minute: from and to are both included, and on it an hour has 61 bars.
    start = (now - timedelta(days=3)).replace(second=30)
    too_long = ""
    try:
        kite.historical_data(infosys["instrument_token"], now - timedelta(days=61), now, "minute")
    except InputException as error:
        too_long = str(error)
    answers = {
        "refused": refused,
        "too_long": too_long,
        "login_time": session["login_time"],
        "profile": kite.profile(),
        "instruments": len(instruments),
        "infosys": infosys,
        "quote": kite.quote("NSE:INFY", "NSE:NIFTY 50", "NSE:NOSUCH"),
        "ohlc": kite.ohlc("NSE:INFY"),
        "ltp": kite.ltp("NSE:INFY"),
        "minutes": kite.historical_data(
            infosys["instrument_token"], start, start + timedelta(hours=1), "minute"
        ),
        "days": kite.historical_data(
            infosys["instrument_token"], now - timedelta(days=400), now - timedelta(days=1), "day", oi=True
        ),
    }
    json.dump(answers, sys.stdout, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


main(*sys.argv[1:])
