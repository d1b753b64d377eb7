"""Bars with their proof."""

from typing import TYPE_CHECKING, NamedTuple

from mds_engine.model import Bars, Decision

if TYPE_CHECKING:
    import pandas as pd


class BarsAnswer(NamedTuple):
    """Bars as columns, the source that gave them, and how it was chosen."""

    bars: Bars
    source: str
    decision: Decision

    def to_frame(self) -> "pd.DataFrame":
        """A DataFrame with `source` and `decision` in its `attrs`. Imports pandas: call it off the loop."""
        frame = self.bars.to_frame()
        frame.attrs["source"] = self.source
        frame.attrs["decision"] = self.decision
        return frame
