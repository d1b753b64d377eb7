"""One seeded market behind every simulated vendor: the same truth for all of them.

Everything is a pure function of seed, instrument and time. Two markets of one
seed agree, before and after a restart, and whatever was asked of them before.
"""

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mds_engine.simulator import tape
from mds_engine.simulator.listings import DAY_S, Listing, ListingBook
from mds_engine.simulator.path import CHILDREN, NODE_S, Floats, Ints, children, nodes, uniform
from mds_engine.simulator.sessions import Sessions

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a quote screen shows of one instrument at one time. Prices are rounded to the price step."""

    instrument: str
    at: float
    """Epoch seconds of the snapshot."""
    last: float
    last_size: float
    last_time: float
    """Epoch seconds of the last trade."""
    open: float
    high: float
    low: float
    """Of the exchange's day so far."""
    previous_close: float
    volume: float
    """Traded since the exchange's midnight, in shares or coins."""
    average: float
    """Volume-weighted average price of the day, roughly."""
    trades: int
    """Trades since the exchange's midnight."""
    bid: float
    bid_size: float
    ask: float
    ask_size: float


@dataclass(frozen=True, slots=True)
class Trades:
    """Consecutive trades, oldest first, as parallel arrays."""

    id: Ints
    time: Floats
    """Epoch seconds, whole milliseconds."""
    price: Floats
    size: Floats
    buyer_is_maker: Bools


@dataclass(frozen=True, slots=True)
class Candles:
    """Bars, oldest first, as parallel arrays. The last one may still be open."""

    start: Ints
    """Epoch seconds."""
    end: Ints
    """Epoch seconds, exclusive."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    first_trade: Ints
    trades: Ints
    taker_buy_volume: Floats
    closed: Bools

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True)
class Distortion:
    """How one vendor's view departs from the truth."""

    lag_s: float = 0.0
    """The vendor's data is this old."""
    noise_steps: int = 0
    """Last prices of quotes are off by up to this many price steps, within the day's range."""
    salt: int = 0
    """Two vendors with different salts are wrong in different ways."""
    factor: float = 1.0
    """Every price is multiplied by this."""
    frozen_at: float | None = None
    """Prices (not times) stand still from this epoch second on."""


class Market:
    """The simulated market, or one vendor's distorted view of it.

    `wall` gives epoch seconds. With `always_open` (the default) every exchange
    trades around the clock, so that a demo works at any hour; otherwise NSE
    and the American exchanges keep their hours, Monday to Friday.
    """

    def __init__(self, seed: int, wall: Callable[[], float], *, always_open: bool = True) -> None:
        self.seed = seed
        self._wall = wall
        self._book = ListingBook(seed)
        self._sessions = Sessions(always_open=always_open)
        self._distortion = Distortion()
        self._hours = lru_cache(maxsize=2_048)(self._build_hour)
        self._days = lru_cache(maxsize=4_096)(self._build_day)

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
        return self._rounded_one(listing, self._path_one(listing, moment))

    def snapshot(self, instrument: str, at: float | None = None) -> Snapshot:
        """Last trade, day figures and best bid and ask at a time (now if None)."""
        listing = self.listing(instrument)
        asked = self.now() if at is None else at
        moment = self._sessions.last_open(listing, asked)
        midnight = self.day_start(instrument, moment)
        opening = midnight + self._sessions.hours(listing)[0]
        ids = tape.first_trade_at_or_after(listing, np.array([float(opening), moment + 0.0005]))
        first, following = int(ids[0]), int(ids[1])
        last = max(following - 1, 0)
        last_time = float(tape.trade_times(listing, np.array([last]))[0])
        lots = tape.cumulative_lots(listing, np.array([first, last, following])) / 10**listing.size_decimals
        low, high = self._extremes(listing, opening, max(moment, opening + 0.001))
        price = min(max(self._noisy(listing, self._path_one(listing, last_time), moment), low), high)
        step, rounded = listing.price_step * self._distortion.factor, self._rounded_one(listing, price)
        day_open = self._rounded_one(listing, self._path_one(listing, float(opening)))
        before = self._sessions.last_open(listing, opening - 0.001)
        bid_size, ask_size = self._book_sizes(listing, moment, 1)
        return Snapshot(
            instrument=instrument,
            at=asked,
            last=rounded,
            last_size=round(float(lots[2] - lots[1]), listing.size_decimals),
            last_time=last_time,
            open=day_open,
            high=max(self._rounded_one(listing, high), rounded, day_open),
            low=min(self._rounded_one(listing, low), rounded, day_open),
            previous_close=self._rounded_one(listing, self._path_one(listing, before)),
            volume=round(float(lots[2] - lots[0]), listing.size_decimals),
            average=self._rounded_one(listing, (high + low + price + day_open) / 4),
            trades=max(following - first, 0),
            bid=self._rounded_one(listing, rounded - step),
            bid_size=bid_size[0],
            ask=self._rounded_one(listing, rounded + step),
            ask_size=ask_size[0],
        )

    def depth(
        self, instrument: str, levels: int, at: float | None = None
    ) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """(price, size) of the best `levels` bids and asks, best first."""
        listing = self.listing(instrument)
        moment = self._sessions.last_open(listing, self.now() if at is None else at)
        best = self.snapshot(instrument, moment)
        bid_sizes, ask_sizes = self._book_sizes(listing, moment, levels)
        step = listing.price_step
        bids = [(self._rounded_one(listing, best.bid - step * i), bid_sizes[i]) for i in range(levels)]
        asks = [(self._rounded_one(listing, best.ask + step * i), ask_sizes[i]) for i in range(levels)]
        return [level for level in bids if level[0] > 0], asks

    def trade_ids(self, instrument: str, start: float, end: float) -> range:
        """Ids of the trades with start <= time < end (epoch seconds)."""
        listing = self.listing(instrument)
        ids = tape.first_trade_at_or_after(listing, np.array([float(start), float(end)]))
        return range(max(int(ids[0]), 0), max(int(ids[1]), 0))

    def trades(self, instrument: str, ids: range) -> Trades:
        """These trades. Ids start at 0 with the listing and have no gaps."""
        listing = self.listing(instrument)
        numbers = np.arange(ids.start, ids.stop, dtype=np.int64)
        times = tape.trade_times(listing, numbers)
        lots = tape.cumulative_lots(listing, np.arange(ids.start, ids.stop + 1, dtype=np.int64))
        return Trades(
            id=numbers,
            time=times,
            price=self._rounded(listing, self._path(listing, times)),
            size=np.round(np.diff(lots) / 10**listing.size_decimals, listing.size_decimals),
            buyer_is_maker=tape.buyer_is_maker(listing, numbers),
        )

    def candles(self, instrument: str, interval_s: int, start: float, end: float) -> Candles:
        """Bars of equal length, aligned to the exchange's midnight, that start within [start, end).

        None starts before the listing or after now; the one that holds now is open.
        """
        listing = self.listing(instrument)
        origin = -listing.day_offset_s
        first = math.ceil((max(start, listing.listed_at) - origin) / interval_s)
        last = math.ceil((min(end, self.now()) - origin) / interval_s)
        edges = np.arange(first, max(last, first) + 1, dtype=np.int64) * interval_s + origin
        return self.candles_between(instrument, edges)

    def candles_between(self, instrument: str, edges: Ints) -> Candles:
        """Bars from each edge (whole epoch seconds, ascending) to the next: for weeks and months."""
        listing = self.listing(instrument)
        now = self.now()
        starts, ends = edges[:-1], edges[1:]
        if len(starts) == 0:
            return _no_candles()
        high, low = self._ranges(listing, edges)
        if ends[-1] > now:
            low[-1], high[-1] = self._extremes(listing, int(starts[-1]), max(now, float(starts[-1]) + 0.001))
        limits = np.minimum(edges.astype(np.float64), now + 0.0005)
        ids = np.maximum(tape.first_trade_at_or_after(listing, limits), 0)
        first, following = ids[:-1], ids[1:]
        times = tape.trade_times(listing, np.concatenate([np.minimum(first, following - 1), following - 1]))
        prices = self._rounded(listing, self._path(listing, times))
        opens, closes = prices[: len(starts)], prices[len(starts) :]
        lots = tape.cumulative_lots(listing, ids)
        volume = np.diff(lots) / 10**listing.size_decimals
        high, low = self._rounded(listing, high), self._rounded(listing, low)
        high = np.maximum(high, np.maximum(opens, closes))
        low = np.minimum(low, np.minimum(opens, closes))
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
        return self._in_session(listing, candles)

    # The path and its extremes, distorted but not yet rounded.

    def _path(self, listing: Listing, times: Floats) -> Floats:
        frozen_at = self._distortion.frozen_at
        if frozen_at is not None:
            times = np.minimum(times, frozen_at)
        local = times + listing.day_offset_s
        second = np.floor(local).astype(np.int64)
        node = nodes(listing, 3, second)
        values: Floats = (node.open + (node.close - node.open) * (local - second)) * self._distortion.factor
        return values

    def _path_one(self, listing: Listing, at: float) -> float:
        frozen_at = self._distortion.frozen_at
        local = (at if frozen_at is None else min(at, frozen_at)) + listing.day_offset_s
        second = math.floor(local)
        hour, place = divmod(second, 3_600)
        steps = self._hours(listing, hour).steps
        value = steps[place] + (steps[place + 1] - steps[place]) * (local - second)
        return float(value) * self._distortion.factor

    def _ranges(self, listing: Listing, edges: Ints) -> tuple[Floats, Floats]:
        """Highs and lows of whole bars between edges."""
        local = edges + listing.day_offset_s
        level = next(level for level in range(4) if not np.any(local % NODE_S[level]))
        places = local // NODE_S[level]
        node = nodes(listing, level, np.arange(places[0], places[-1], dtype=np.int64))
        cuts = places[:-1] - places[0]
        high, low = np.maximum.reduceat(node.high, cuts), np.minimum.reduceat(node.low, cuts)
        return high * self._distortion.factor, low * self._distortion.factor

    def _extremes(self, listing: Listing, start: float, end: float) -> tuple[float, float]:
        """Lowest and highest value of the path in [start, end], which may end in the middle of anything."""
        frozen_at = self._distortion.frozen_at
        if frozen_at is not None and frozen_at < end:
            end = max(frozen_at, start)
        first = math.floor(start + listing.day_offset_s)
        last = math.floor(end + listing.day_offset_s)
        lows, highs = [self._path_one(listing, end) / self._distortion.factor], []
        highs.append(lows[0])
        for place, stop, unit in _cover(first, last):
            low, high = self._unit_extremes(listing, place, stop, unit)
            lows.append(low)
            highs.append(high)
        return min(lows) * self._distortion.factor, max(highs) * self._distortion.factor

    def _unit_extremes(self, listing: Listing, place: int, stop: int, unit: int) -> tuple[float, float]:
        parent_s = NODE_S[NODE_S.index(unit) - 1] if unit != 1 else 3_600
        parent, offset = divmod(place, parent_s)
        part = slice(offset // unit, (stop - parent * parent_s) // unit)
        if unit == 1:
            steps = self._hours(listing, parent).steps[part.start : part.stop + 1]
            return float(steps.min()), float(steps.max())
        block = self._days(listing, parent) if unit == 3_600 else self._hours(listing, parent)
        return float(block.low[part].min()), float(block.high[part].max())

    def _build_day(self, listing: Listing, day: int) -> "_Block":
        hours = nodes(listing, 1, day * CHILDREN[0] + np.arange(CHILDREN[0], dtype=np.int64))
        return _Block(hours.low, hours.high, np.empty(0))

    def _build_hour(self, listing: Listing, hour: int) -> "_Block":
        minutes = nodes(listing, 2, hour * CHILDREN[1] + np.arange(CHILDREN[1], dtype=np.int64))
        every = np.repeat(np.arange(CHILDREN[1]), CHILDREN[2])
        place = np.tile(np.arange(CHILDREN[2], dtype=np.int64), CHILDREN[1])
        seconds = children(listing, 3, minutes.at(every), place)
        return _Block(minutes.low, minutes.high, np.append(seconds.open, seconds.close[-1]))

    # Rounding, noise, and the book around the last price.

    def _rounded(self, listing: Listing, values: Floats) -> Floats:
        steps = np.maximum(np.round(values / listing.price_step), 1)
        return np.round(steps * listing.price_step, listing.price_decimals)

    def _rounded_one(self, listing: Listing, value: float) -> float:
        steps = max(round(value / listing.price_step), 1)
        return round(steps * listing.price_step, listing.price_decimals)

    def _noisy(self, listing: Listing, value: float, at: float) -> float:
        steps = self._distortion.noise_steps
        if steps == 0:
            return value
        draw = uniform(listing.key, 16 + self._distortion.salt, np.array([int(at)], dtype=np.int64))
        return value + listing.price_step * round((float(draw[0]) * 2 - 1) * steps)

    def _book_sizes(self, listing: Listing, at: float, levels: int) -> tuple[list[float], list[float]]:
        """Sizes that stand on the bid and the ask side; they change every second."""
        place = np.arange(2 * levels, dtype=np.int64) + int(at) * 64
        typical = max(listing.size_per_s, 1.0 if listing.size_per_s else 0.0) * 2
        sizes = np.round(
            typical * (0.1 + 2 * uniform(listing.key, 4, place) ** 3), listing.size_decimals
        ).tolist()
        return sizes[:levels], sizes[levels:]

    def _in_session(self, listing: Listing, candles: Candles) -> Candles:
        if self._sessions.always_open or int(candles.end[0] - candles.start[0]) >= DAY_S:
            return candles
        kept = self._sessions.is_open(listing, candles.start.astype(np.float64))
        return Candles(*(getattr(candles, name)[kept] for name in Candles.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class _Block:
    low: Floats
    high: Floats
    steps: Floats


def _cover(first: int, last: int) -> list[tuple[int, int, int]]:
    """[first, last) in whole hours, minutes and seconds as (start, stop, unit), each within one parent."""
    pieces = []
    place = first
    while place < last:
        unit = next(unit for unit in (3_600, 60, 1) if place % unit == 0 and place + unit <= last)
        parent_s = DAY_S if unit == 3_600 else 3_600
        limit = min(last, (place // parent_s + 1) * parent_s)
        if unit == 1:
            limit = min(limit, (place // 60 + 1) * 60)
        stop = place + (limit - place) // unit * unit
        pieces.append((place, stop, unit))
        place = stop
    return pieces


def _no_candles() -> Candles:
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    return Candles(
        start=none,
        end=none,
        open=nothing,
        high=nothing,
        low=nothing,
        close=nothing,
        volume=nothing,
        quote_volume=nothing,
        first_trade=none,
        trades=none,
        taker_buy_volume=nothing,
        closed=np.empty(0, dtype=np.bool_),
    )
