"""Alpha Vantage's recordings as json, csv and struct alone say them: nothing of the engine."""

import csv
import io
import json
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.cli.read_by_hand.rows import PRICES, Row, at, bar

EASTERN = ZoneInfo("America/New_York")


def alphavantage_quote(content: bytes) -> list[Row]:
    told = json.loads(content)["Global Quote"]
    names = {"open": "02. open", "high": "03. high", "low": "04. low", "price": "05. price"}
    names |= {"volume": "06. volume", "previous_close": "08. previous close"}
    row = {"type": "quote", "instrument": f"US:{told['01. symbol']}"}
    return [row | {ours: float(told[theirs]) for ours, theirs in names.items()}]


def eastern(text: str) -> str:
    return at(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=EASTERN).timestamp())


def alphavantage_json(content: bytes) -> list[Row]:
    series = json.loads(content)["Time Series (1min)"]
    rows = [
        bar(eastern(time), [row[f"{n}. {name}"] for n, name in enumerate(PRICES, 1)])
        for time, row in series.items()
    ]
    return rows[::-1]


def alphavantage_csv(content: bytes) -> list[Row]:
    rows = [bar(eastern(line[0]), line[1:6]) for line in list(csv.reader(io.StringIO(content.decode())))[1:]]
    return rows[::-1]
