"""What an engine answers: quotes, bars and ticks."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from mds_engine.asking import Asking, as_instrument
from mds_engine.bars_answer import BarsAnswer
from mds_engine.model import Instrument, Interval, Quote
from mds_engine.streaming import Streaming
from mds_engine.streams.reader import TickReader

if TYPE_CHECKING:
    import pandas as pd


class Answering:
    """The side of an `Engine` that its callers use."""

    _asking: Asking
    _streaming: Streaming

    async def quote(
        self, instrument: str | Instrument, *, source: str | None = None, deadline_s: float | None = None
    ) -> Quote:
        """The latest quote of `EXCHANGE:SYMBOL`, with `.source` and `.decision`.

        `source` asks that source and no other; `deadline_s` (seconds) stands in
        for the configured one. Raises InvalidRequest, UnknownSourceError, or
        AllSourcesFailedError with every attempt.
        """
        return await self._asking.quote(instrument, source, deadline_s)

    async def quotes(
        self,
        instruments: Iterable[str | Instrument],
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> dict[str, Quote]:
        """The latest quotes of many instruments, keyed by `EXCHANGE:SYMBOL`; the unknown ones are absent.

        What the first source does not know is asked of the next. Raises
        AllSourcesFailedError only if nothing at all was found.
        """
        return await self._asking.quotes(instruments, source, deadline_s)

    async def fetch_bars(
        self,
        instrument: str | Instrument,
        interval: str | Interval,
        start: datetime,
        end: datetime,
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> BarsAnswer:
        """Bars that open in [start, end), as columns, straight from the source. Both times have a zone."""
        return await self._asking.bars(instrument, interval, (start, end), source, deadline_s)

    async def bars(
        self,
        instrument: str | Instrument,
        interval: str | Interval,
        start: datetime,
        end: datetime,
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> "pd.DataFrame":
        """`fetch_bars` as a DataFrame (UTC index `time`) with `source` and `decision` in `df.attrs`."""
        answer = await self._asking.bars(instrument, interval, (start, end), source, deadline_s)
        return await asyncio.to_thread(answer.to_frame)

    def ticks(
        self,
        instruments: Iterable[str | Instrument],
        *,
        latest: bool = False,
        queue: int | None = None,
        name: str = "",
    ) -> TickReader:
        """Live ticks: `async with engine.ticks(["NSE:INFY"]) as ticks: async for item in ticks: ...`.

        An item is a `Tick`, or says what became of the stream: `SourceSwitched`,
        `Gap`, `Missed`. `latest` keeps only the newest tick of each kind of an
        instrument for a reader that comes now and then; `queue` is how many ticks
        may wait; `name` is how a slow reader is told of. Raises InvalidRequest
        where no configured source streams an exchange at all.
        """
        return self._streaming.ticks(
            [as_instrument(item) for item in instruments], latest=latest, queue=queue, name=name
        )
