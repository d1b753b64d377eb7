"""Bars as columns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mds_engine.model.instrument import Instrument
from mds_engine.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of one instrument and interval, oldest first, one array a column.

    All arrays have shape (n,). `time_ns` is int64: the bar's opening time in
    UTC nanoseconds since the epoch, strictly ascending. The others are
    float64; a value that the vendor left out is NaN. `volume` counts shares,
    contracts, or base asset. `extra` holds what only some vendors have
    (`open_interest`, `trades`, `quote_volume`, `adjusted_close`).
    """

    instrument: Instrument
    interval: Interval
    time_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    extra: dict[str, NDArray[np.float64]]

    @classmethod
    def from_rows(
        cls,
        instrument: Instrument,
        interval: Interval,
        time_ns: "Sequence[int] | NDArray[np.int64]",
        columns: "dict[str, Any]",
    ) -> "Bars":
        """Build from a time column and named columns (at least open, high, low, close, volume)."""
        as_float = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
        return cls(
            instrument,
            interval,
            np.asarray(time_ns, dtype=np.int64),
            open=as_float.pop("open"),
            high=as_float.pop("high"),
            low=as_float.pop("low"),
            close=as_float.pop("close"),
            volume=as_float.pop("volume"),
            extra=as_float,
        )

    def __len__(self) -> int:
        return len(self.time_ns)

    def between(self, start_ns: int | None, end_ns: int | None) -> "Bars":
        """The bars that open in [start_ns, end_ns); None leaves that side open."""
        first = 0 if start_ns is None else int(np.searchsorted(self.time_ns, start_ns, side="left"))
        last = len(self) if end_ns is None else int(np.searchsorted(self.time_ns, end_ns, side="left"))
        part = slice(first, last)
        return Bars(
            self.instrument,
            self.interval,
            self.time_ns[part],
            self.open[part],
            self.high[part],
            self.low[part],
            self.close[part],
            self.volume[part],
            extra={name: column[part] for name, column in self.extra.items()},
        )

    def to_frame(self) -> "pd.DataFrame":
        """A DataFrame with a UTC DatetimeIndex named `time` and float64 columns.

        Imports pandas, which takes about a second the first time: call it off
        the event loop.
        """
        import pandas as pd

        index = pd.DatetimeIndex(self.time_ns.view("datetime64[ns]"), name="time").tz_localize("UTC")
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return pd.DataFrame({**columns, **self.extra}, index=index, copy=False)
