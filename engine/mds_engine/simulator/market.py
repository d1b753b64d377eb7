"""One seeded market behind every simulated vendor: the same truth for all of them.

Everything is a pure function of seed, instrument and time. Two markets of one
seed agree, before and after a restart, and whatever was asked of them before.
"""

import math
from collections.abc import Callable
from copy import copy

import numpy as np

from mds_engine.simulator import tape
from mds_engine.simulator.figures import Candles, Distortion, Snapshot, Span, Trades
from mds_engine.simulator.listings import DAY_S, Listing, ListingBook, UnknownInstrumentError
from mds_engine.simulator.path import Floats, Ints, uniform
from mds_engine.simulator.sessions import Sessions
from mds_engine.simulator.truth import Truth

__all__ = ["Candles", "Listing", "Market", "Snapshot", "Span", "Trades", "UnknownInstrumentError"]

_INSTANT_S = 0.0005
"""Half the resolution of trade times: turns "at or before" into "before"."""


_FEW = 4
"""Up to so many values are cheaper one by one, by what is at hand, than all at once."""

_NEIGHBOURS = 64
_NEAR_S = 120.0
"""Up to so many values of so short a time are cheaper one by one, too."""


class Market:
    """The simulated market, or one vendor's distorted view of it.

    `wall` gives epoch seconds. With `always_open` (the default) every exchange
    trades around the clock, so that a demo works at any hour; otherwise NSE
    and the American exchanges keep their hours, Monday to Friday.
    `trades_per_s` (at most 10 000) is how often every instrument trades, None to
    leave each its own tempo.
    """

    def __init__(
        self,
        seed: int,
        wall: Callable[[], float],
        *,
        always_open: bool = True,
        trades_per_s: float | None = None,
    ) -> None:
        self.seed = seed
        self._wall = wall
        self._book = ListingBook(seed, trades_per_s=trades_per_s)
        self._sessions = Sessions(always_open=always_open)
        self._truth = Truth()
        self._distortion = Distortion()

    def distorted(
        self,
        *,
        lag_s: float | None = None,
        noise_steps: int | None = None,
        salt: int | None = None,
        factor: float | None = None,
        frozen_at: float | None = None,
    ) -> "Market":
        """The same market seen by a vendor that is late, imprecise, wrong or stuck; None keeps what was."""
        old = self._distortion
        view = copy(self)
        view._distortion = Distortion(  # noqa: SLF001
            lag_s=old.lag_s if lag_s is None else lag_s,
            noise_steps=old.noise_steps if noise_steps is None else noise_steps,
            salt=old.salt if salt is None else salt,
            factor=old.factor if factor is None else factor,
            frozen_at=old.frozen_at if frozen_at is None else frozen_at,
        )
        return view

    @property
    def view(self) -> Distortion:
        """How this view departs from the truth."""
        return self._distortion

    def now(self) -> float:
        """Epoch seconds of the newest data that this view has: the wall clock, less the vendor's lag."""
        return self._wall() - self._distortion.lag_s

    def listing(self, instrument: str) -> Listing:
        """Name, price step and the like. Raises UnknownInstrumentError."""
        return self._book.listing(instrument)

    def universe(self, exchange: str, count: int) -> list[str]:
        """`count` instruments of an exchange, the named ones first."""
        return self._book.universe(exchange, count)

    def is_open(self, instrument: str, at: float | None = None) -> bool:
        """True if the instrument's exchange trades at that time."""
        times = np.array([self.now() if at is None else at])
        return bool(self._sessions.is_open(self.listing(instrument), times)[0])

    def day_start(self, instrument: str, at: float) -> int:
        """Epoch seconds of the exchange's midnight before `at`."""
        offset = self.listing(instrument).day_offset_s
        return int((at + offset) // DAY_S * DAY_S - offset)

    def price(self, instrument: str, at: float | None = None) -> float:
        """The price at a time (now if None), rounded to the price step."""
        listing = self.listing(instrument)
        moment = self._sessions.last_open(listing, self.now() if at is None else at)
        return self._rounded_one(listing, self._value(listing, moment))

    def span(self, instrument: str, start: float, end: float) -> Span:
        """One bar over [start, end], of any length and alignment (epoch seconds)."""
        listing = self.listing(instrument)
        ids = tape.first_trade_at_or_after(listing, np.array([start, end + _INSTANT_S]))
        first, following = max(int(ids[0]), 0), max(int(ids[1]), 1)
        last = following - 1
        lots = tape.cumulative_lots(listing, np.array([first, last, following])) / 10**listing.size_decimals
        first_time, last_time = tape.trade_times(listing, np.array([min(first, last), last])).tolist()
        low, high = self._extremes(listing, start, end)
        opening = self._rounded_one(listing, self._value(listing, first_time))
        close = self._rounded_one(listing, self._value(listing, last_time))
        high = max(self._rounded_one(listing, high), opening, close)
        low = min(self._rounded_one(listing, low), opening, close)
        volume = round(max(float(lots[2] - lots[0]), 0.0), listing.size_decimals)
        return Span(
            start=start,
            end=end,
            open=opening,
            high=high,
            low=low,
            close=close,
            volume=volume,
            quote_volume=volume * (opening + high + low + close) / 4,
            first_trade=first,
            last_trade=last,
            last_size=round(float(lots[2] - lots[1]), listing.size_decimals),
            last_time=last_time,
        )

    def snapshot(self, instrument: str, at: float | None = None) -> Snapshot:
        """Last trade, day figures and best bid and ask at a time (now if None)."""
        listing = self.listing(instrument)
        asked = self.now() if at is None else at
        moment = self._sessions.last_open(listing, asked)
        opening = self.day_start(instrument, moment) + self._sessions.hours(listing)[0]
        day = self.span(instrument, float(opening), moment)
        before = self._sessions.last_open(listing, opening - 0.001)
        last = self._noisy(listing, day, moment)
        step = listing.price_step
        bid_sizes, ask_sizes = self._standing_sizes(listing, moment, 1)
        return Snapshot(
            instrument=instrument,
            at=asked,
            last=last,
            last_size=day.last_size,
            last_time=day.last_time,
            open=day.open,
            high=day.high,
            low=day.low,
            previous_close=self._rounded_one(listing, self._value(listing, before)),
            volume=day.volume,
            average=self._rounded_one(listing, (day.open + day.high + day.low + last) / 4),
            trades=day.trades,
            bid=self._rounded_one(listing, last - step),
            bid_size=bid_sizes[0],
            ask=self._rounded_one(listing, last + step),
            ask_size=ask_sizes[0],
        )

    def depth(
        self, instrument: str, levels: int, at: float | None = None
    ) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """(price, size) of the best `levels` bids and asks, best first."""
        listing = self.listing(instrument)
        moment = self._sessions.last_open(listing, self.now() if at is None else at)
        last = self._rounded_one(listing, self._value(listing, self._last_trade_time(listing, moment)))
        bid_sizes, ask_sizes = self._standing_sizes(listing, moment, levels)
        ladder: Floats = np.arange(1.0, levels + 1) * listing.price_step
        below: Floats = last - ladder[ladder < last]
        above: Floats = last + ladder
        bids = self._rounded(listing, below).tolist()
        asks = self._rounded(listing, above).tolist()
        return list(zip(bids, bid_sizes, strict=False)), list(zip(asks, ask_sizes, strict=True))

    def trade_ids(self, instrument: str, start: float, end: float) -> range:
        """Ids of the trades with start <= time < end (epoch seconds)."""
        listing = self.listing(instrument)
        ids = tape.first_trade_at_or_after(listing, np.array([float(start), float(end)]))
        return range(max(int(ids[0]), 0), max(int(ids[1]), 0))

    def trade_times(self, instrument: str, ids: range) -> list[float]:
        """When trades happen (epoch seconds), the future ones too."""
        numbers = np.arange(ids.start, ids.stop, dtype=np.int64)
        times: list[float] = tape.trade_times(self.listing(instrument), numbers).tolist()
        return times

    def trades(self, instrument: str, ids: range) -> Trades:
        """These trades. Ids start at 0 with the listing and have no gaps."""
        listing = self.listing(instrument)
        numbers = np.arange(ids.start, ids.stop, dtype=np.int64)
        times = tape.trade_times(listing, numbers)
        lots = tape.cumulative_lots(listing, np.arange(ids.start, ids.stop + 1, dtype=np.int64))
        return Trades(
            id=numbers,
            time=times,
            price=self._rounded(listing, self._values(listing, times)),
            size=np.round(np.diff(lots) / 10**listing.size_decimals, listing.size_decimals),
            buyer_is_maker=tape.buyer_is_maker(listing, numbers),
        )

    def candles(self, instrument: str, interval_s: int, start: float, end: float) -> Candles:
        """Bars of equal length, aligned to the exchange's midnight, that start within [start, end).

        None starts before the listing or after now; the one that holds now is
        open. Where an exchange keeps hours, a day's bar starts and ends with
        its session.
        """
        listing = self.listing(instrument)
        origin = -listing.day_offset_s
        first = math.ceil((max(start, listing.listed_at) - origin) / interval_s)
        last = math.ceil((min(end, self.now()) - origin) / interval_s)
        edges = np.arange(first, max(last, first) + 1, dtype=np.int64) * interval_s + origin
        opening, closing = self._sessions.hours(listing)
        if interval_s != DAY_S or (opening, closing) == (0, DAY_S):
            return self.candles_between(instrument, edges)
        # A day that keeps hours is made of its session alone; the nights between are left out as closed.
        sessions = np.column_stack([edges[:-1] + opening, edges[:-1] + closing]).ravel()
        return self.candles_between(instrument, sessions)

    def candles_between(self, instrument: str, edges: Ints) -> Candles:
        """Bars from each edge (whole epoch seconds, ascending) to the next: for weeks and months too.

        Bars that start after now are left out, and so are those shorter than a
        day that start while the exchange is closed.
        """
        listing = self.listing(instrument)
        now = self.now()
        edges = edges[: np.searchsorted(edges, now) + 1]
        starts, ends = edges[:-1], edges[1:]
        if len(starts) == 0:
            return Candles.none()
        low, high = self._ranges(listing, edges, now)
        limits = np.minimum(edges.astype(np.float64), now + _INSTANT_S)
        ids = np.maximum(tape.first_trade_at_or_after(listing, limits), 0)
        first, following = ids[:-1], ids[1:]
        times = tape.trade_times(listing, np.concatenate([np.minimum(first, following - 1), following - 1]))
        prices = self._rounded(listing, self._values(listing, times))
        opens, closes = prices[: len(starts)], prices[len(starts) :]
        volume = np.diff(tape.cumulative_lots(listing, ids)) / 10**listing.size_decimals
        high = np.maximum(self._rounded(listing, high), np.maximum(opens, closes))
        low = np.minimum(self._rounded(listing, low), np.minimum(opens, closes))
        empty = following == first
        share = 0.35 + 0.3 * uniform(listing.key, 3, starts)
        candles = Candles(
            start=starts,
            end=ends,
            open=opens,
            high=np.where(empty, closes, high),
            low=np.where(empty, closes, low),
            close=closes,
            volume=np.round(volume, listing.size_decimals),
            quote_volume=volume * (opens + high + low + closes) / 4,
            first_trade=first,
            trades=following - first,
            taker_buy_volume=np.round(volume * share, listing.size_decimals),
            closed=ends <= now,
        )
        if self._sessions.always_open or int(ends[-1] - starts[0]) >= DAY_S * len(starts):
            return candles
        return candles.where(self._sessions.is_open(listing, starts.astype(np.float64)))

    # The truth, distorted but not yet rounded.

    def _values(self, listing: Listing, times: Floats) -> Floats:
        if len(times) <= _FEW or (len(times) <= _NEIGHBOURS and times[-1] - times[0] <= _NEAR_S):
            return np.array([self._value(listing, at) for at in times.tolist()])
        if self._distortion.frozen_at is not None:
            times = np.minimum(times, self._distortion.frozen_at)
        return self._truth.values(listing, times) * self._distortion.factor

    def _value(self, listing: Listing, at: float) -> float:
        if self._distortion.frozen_at is not None:
            at = min(at, self._distortion.frozen_at)
        return self._truth.value(listing, at) * self._distortion.factor

    def _extremes(self, listing: Listing, start: float, end: float) -> tuple[float, float]:
        if self._distortion.frozen_at is not None:
            start, end = min(start, self._distortion.frozen_at), min(end, self._distortion.frozen_at)
        low, high = self._truth.extremes(listing, start, end)
        return low * self._distortion.factor, high * self._distortion.factor

    def _ranges(self, listing: Listing, edges: Ints, now: float) -> tuple[Floats, Floats]:
        low, high = np.empty(len(edges) - 1), np.empty(len(edges) - 1)
        horizon = now if self._distortion.frozen_at is None else min(now, self._distortion.frozen_at)
        known = max(int(np.searchsorted(edges, horizon, side="right")) - 1, 0)
        if known:
            lows, highs = self._truth.ranges(listing, edges[: known + 1])
            low[:known], high[:known] = lows * self._distortion.factor, highs * self._distortion.factor
        # Bars that reach beyond what this view can know show only what has happened.
        for place in range(known, len(low)):
            low[place], high[place] = self._extremes(listing, float(edges[place]), now)
        return low, high

    def _last_trade_time(self, listing: Listing, at: float) -> float:
        following = tape.first_trade_at_or_after(listing, np.array([at + _INSTANT_S]))
        return float(tape.trade_times(listing, np.maximum(following - 1, 0))[0])

    # Rounding, noise, and what stands in the book.

    def _rounded(self, listing: Listing, values: Floats) -> Floats:
        steps = np.maximum(np.round(values / listing.price_step), 1)
        return np.round(steps * listing.price_step, listing.price_decimals)

    def _rounded_one(self, listing: Listing, value: float) -> float:
        steps = max(round(value / listing.price_step), 1)
        return round(steps * listing.price_step, listing.price_decimals)

    def _noisy(self, listing: Listing, day: Span, at: float) -> float:
        steps = self._distortion.noise_steps
        if steps == 0:
            return day.close
        draw = uniform(listing.key, 16 + self._distortion.salt, np.array([int(at)], dtype=np.int64))
        off = listing.price_step * round((float(draw[0]) * 2 - 1) * steps)
        return self._rounded_one(listing, min(max(day.close + off, day.low), day.high))

    def _standing_sizes(self, listing: Listing, at: float, levels: int) -> tuple[list[float], list[float]]:
        """Sizes on the bid and the ask side; they change every second."""
        place = np.arange(2 * levels, dtype=np.int64).reshape(levels, 2) + int(at) * 16_384
        draw = 0.1 + 2 * uniform(listing.key, 4, place) ** 3
        sizes = np.round(draw * (2 * listing.size_per_s), listing.size_decimals)
        return sizes[:, 0].tolist(), sizes[:, 1].tolist()
