"""The alpha_vantage SDK against the simulator, unmodified but for its URL: prints what it read as JSON.

Arguments: URL up to and with the question mark, API key.
"""

import json
import sys

from alpha_vantage.alphavantage import AlphaVantage
from alpha_vantage.timeseries import TimeSeries


def main(url: str, key: str) -> None:
    AlphaVantage._ALPHA_VANTAGE_API_URL = url
    series = TimeSeries(key=key)
    quote, _ = series.get_quote_endpoint("AAPL")
    minutes, minutes_meta = series.get_intraday("AAPL", interval="1min", outputsize="compact")
    days, days_meta = series.get_daily("AAPL")
    rows, _ = TimeSeries(key=key, output_format="csv").get_daily("RELIANCE.BSE")
    errors = {}
    for name, ask in {
        "symbol": lambda: series.get_daily("NOSUCHTHING"),
        "full": lambda: series.get_daily("AAPL", outputsize="full"),
    }.items():
        try:
            ask()
        except ValueError as error:
            errors[name] = str(error)
    answers = {
        "quote": quote,
        "minutes": minutes,
        "minutes_meta": minutes_meta,
        "days": days,
        "days_meta": days_meta,
        "csv": list(rows),
        "errors": errors,
    }
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
