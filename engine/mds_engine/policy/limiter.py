"""The rate limiter of one source: never more than the vendor allows, over any window, however many ask.

It keeps a sliding log of what was granted. Token and leaky buckets (aiolimiter
among them) do not serve here: a full bucket lets its whole capacity through at
once and refills behind it, so that nearly twice the limit fits into one window.

Check and act are one step: `reserve` records the grant before it returns, so
callers that ask at the same moment cannot both take the last place. Grants are
given in order of asking; a heavy call that waits is not overtaken by light ones.

Pure: `now` is monotonic seconds, one event loop calls it.
"""

import math
import sys
from collections.abc import Sequence

from mds_engine.policy.limiter_settings import LimiterSettings, LimitWindow, WindowUse
from mds_engine.policy.window_log import WindowLog

__all__ = ["LimitWindow", "Limiter", "LimiterSettings", "WindowUse"]


class Limiter:
    """Grants times at which calls may be sent, and slows down when the vendor complains.

    A grant for now is sent at once. A grant for later is slept for and then
    confirmed with `confirm`; one that is not used is given back with `cancel`.

    Grants that follow each other closely are gathered in one pending slice and
    logged together: with room left, a grant costs three comparisons and no log.
    """

    __slots__ = (
        "_banned_until",
        "_blocked_until",
        "_episode_until",
        "_fast_until",
        "_granule_s",
        "_logs",
        "_newest",
        "_pending",
        "_pending_first",
        "_rate",
        "_recovers_at",
        "_room",
        "_settings",
        "_throttle_wait_s",
        "_void",
        "_waiting",
    )

    def __init__(self, windows: Sequence[LimitWindow], settings: LimiterSettings) -> None:
        """Without windows nothing is limited until the vendor throttles or bans."""
        self._settings = settings
        self._logs = [WindowLog(window, settings.margin_s, settings.slices) for window in windows]
        self._granule_s = min((log.granule_s for log in self._logs), default=math.inf)
        self._rate = 1.0
        self._recovers_at = math.inf
        self._throttle_wait_s = settings.throttle_wait_s
        self._blocked_until = -math.inf
        self._episode_until = -math.inf
        self._banned_until = -math.inf
        self._waiting: dict[float, int] = {}
        self._void: dict[float, int] = {}
        self._newest = -math.inf
        self._pending = 0
        self._pending_first = 0.0
        self._fast_until = -math.inf
        self._room: float = 0

    # --- Asking ---------------------------------------------------------------------------------------

    def wait_s(self, weight: int, now: float) -> float:
        """Seconds that `reserve` would have to wait now; infinite if it could never be granted."""
        if weight <= self._room and self._newest <= now <= self._fast_until:
            return 0.0
        return self._earliest(weight, now) - now

    def reserve(self, weight: int, now: float, max_wait_s: float) -> float | None:
        """Grant and record the first time from `now` on at which `weight` may be sent.

        None, and nothing recorded, if that is more than `max_wait_s` seconds away.
        """
        if 0 < weight <= self._room and self._newest <= now <= self._fast_until:
            self._room -= weight
            self._pending += weight
            self._newest = now
            return now
        room = self._settle(now)
        if 0 < weight <= room and now >= self._newest and now >= self._blocked_until:
            self._open_slice(weight, now, room)
            return now
        at = self._earliest(weight, now)
        if at == math.inf or at - now > max_wait_s:
            return None
        if weight:
            self._record(at, weight, now)
        return at

    def confirm(self, grant_time: float, weight: int, now: float) -> float | None:
        """Confirm a grant after sleeping until it. Returns the time for which it is counted; None if it is
        void and must be asked for again.

        It is void when the vendor throttled, banned or corrected our count
        meanwhile, or when the caller woke so late that its place is taken.
        """
        if _take(self._void, grant_time, weight):
            return None
        _take(self._waiting, grant_time, weight)
        if now < self._blocked_until:
            self._remove(grant_time, weight)
            return None
        if now - grant_time <= self._settings.margin_s:
            return grant_time
        self._remove(grant_time, weight)
        if self._earliest(weight, now) > now:
            return None
        self._record(now, weight, now)
        return now

    def came_late(self, counted_at: float, weight: int, at: float, now: float) -> None:
        """A call that was counted when it was granted may have reached the vendor as late as `at`: it counts
        from then. Who waits for a grant that was reckoned from the earlier time has to ask again."""
        if weight and at - counted_at > self._settings.margin_s:
            self._remove(counted_at, weight)
            self._void_waiting(now)
            for log in self._logs:
                log.add(at, at, weight)
            self._newest = max(self._newest, at)

    def cancel(self, grant_time: float, weight: int) -> None:
        """Give back a grant of which nothing was sent."""
        if not _take(self._void, grant_time, weight):
            _take(self._waiting, grant_time, weight)
            self._remove(grant_time, weight)

    # --- What the vendor says -------------------------------------------------------------------------

    def throttled(self, now: float, retry_after_s: float | None) -> None:
        """A 429: send nothing for as long as it says (or a wait that grows), then at half the rate."""
        self._settle(now)
        wait_s = self._throttle_wait_s
        first = self._slow_down(now)
        if retry_after_s is not None and retry_after_s >= 0:
            wait_s = retry_after_s
        elif not first:
            wait_s = 0.0
        self._block(now, now + wait_s)

    def banned(self, now: float, until: float) -> None:
        """A 418: send nothing before `until` (monotonic seconds). Only `reset` shortens it."""
        self._settle(now)
        self._slow_down(now)
        self._banned_until = max(self._banned_until, until)
        self._block(now, until)

    def observed(
        self, window_s: float, now: float, *, used: int | None = None, remaining: int | None = None
    ) -> None:
        """Correct our count by the vendor's own, as its headers give it: used, or remaining.

        Only upwards: vendors count in fixed windows, and their count falls to 0
        where one ends although ours, over any window, does not. A window that
        is not ours is passed over.
        """
        log = self._log(window_s)
        if log is None:
            return
        if used is None:
            if remaining is None:
                return
            used = log.limit - remaining
        self._settle(now)
        unknown = used - (int(log.used) - self._reserved(now))
        if unknown > 0:
            self._void_waiting(now)
            log.add(now, now, unknown)

    def set_limit(self, window_s: float, limit: int) -> None:
        """Take the limit that the vendor publishes now; a window that was not known is added.

        Raises ValueError for a limit below 1.
        """
        self._flush()
        log = self._log(window_s)
        if log is None:
            log = WindowLog(LimitWindow(limit, window_s), self._settings.margin_s, self._settings.slices)
            if self._logs:
                log.copy(max(self._logs, key=lambda other: other.span_s))
            self._logs.append(log)
            lowered = True
        else:
            lowered = limit < log.limit
            log.set_limit(limit, self._settings.slices)
        log.scale(self._rate)
        self._granule_s = min(log.granule_s for log in self._logs)
        if lowered:
            self._void_waiting(-math.inf)

    def use(self, windows: Sequence[LimitWindow], settings: LimiterSettings) -> None:
        """Take other windows, and another way to keep to them. What was granted counts on in each of them,
        and a ban or a throttle holds on; grants for later are to be asked for again.

        Raises ValueError for a limit below 1.
        """
        self._flush()
        longest = max(self._logs, key=lambda log: log.span_s, default=None)
        logs = [WindowLog(window, settings.margin_s, settings.slices) for window in windows]
        for log in logs:
            known = self._log(log.window_s) or longest
            if known is not None:
                log.copy(known)
            log.scale(self._rate)
        self._logs, self._settings = logs, settings
        self._granule_s = min((log.granule_s for log in logs), default=math.inf)
        self._void_waiting(-math.inf)

    def reset(self, now: float) -> None:
        """Forget bans, throttles and the slower rate; what was granted still counts."""
        self._blocked_until = self._banned_until = self._episode_until = -math.inf
        self._throttle_wait_s = self._settings.throttle_wait_s
        self._set_rate(1.0)
        self._recovers_at = math.inf
        self._settle(now)

    # --- What can be seen -----------------------------------------------------------------------------

    def blocked_until(self, now: float) -> float | None:
        """Monotonic seconds before which nothing is sent, after a throttle or a ban; None if not blocked."""
        return self._blocked_until if self._blocked_until > now else None

    @property
    def banned_until(self) -> float | None:
        """Monotonic end of the last ban, which may be past; None if there was none."""
        return None if self._banned_until == -math.inf else self._banned_until

    @property
    def rate_factor(self) -> float:
        """Share of the limit that is granted, 1.0 for all of it, as of the last call that took `now`."""
        return self._rate

    def used(self, now: float) -> tuple[WindowUse, ...]:
        """How full each window is."""
        self._settle(now)
        reserved = self._reserved(now)
        return tuple(
            WindowUse(log.window_s, log.limit, log.allowed, int(log.used) - reserved, reserved)
            for log in self._logs
        )

    @property
    def memory_slices(self) -> int:
        """Slices kept in all windows together: what its memory is made of."""
        return sum(log.length for log in self._logs)

    @property
    def memory_waiting(self) -> int:
        """Times that are granted and neither confirmed nor given back."""
        return len(self._waiting)

    # --- Inside ---------------------------------------------------------------------------------------

    def _earliest(self, weight: int, now: float) -> float:
        if weight < 0:
            raise ValueError("a weight must not be negative")
        self._settle(now)
        at = max(now, self._newest, self._blocked_until)
        for log in self._logs:
            at = log.earliest(weight, at)
        return at

    def _record(self, at: float, weight: int, now: float) -> None:
        """Log a grant whose time may be still to come."""
        self._newest = at
        for log in self._logs:
            log.add(at, at, weight)
        if at > now:
            self._forget_unconfirmed(now)
            self._waiting[at] = self._waiting.get(at, 0) + weight

    def _forget_unconfirmed(self, now: float) -> None:
        """Drop grants whose time has come: they count as sent, whether their callers come back or not."""
        waiting = self._waiting
        while waiting and (first := next(iter(waiting))) <= now:
            del waiting[first]

    def _open_slice(self, weight: int, now: float, room: float) -> None:
        """Begin the pending slice with a grant for now."""
        self._newest = self._pending_first = now
        self._pending = weight
        self._room = room - weight
        # Beyond these the slice would be too long, or the rate is due to rise.
        self._fast_until = now + self._granule_s
        if self._recovers_at < self._fast_until:
            self._fast_until = self._recovers_at

    def _settle(self, now: float) -> float:
        """Bring the logs and the rate up to `now`; return the weight for which there is room."""
        if now >= self._recovers_at:
            self._recover(now)
        pending = self._pending
        self._pending = 0
        self._fast_until = -math.inf
        room: float = sys.maxsize
        for log in self._logs:
            room_there = log.roll(self._pending_first, self._newest, pending, now)
            if room_there < room:
                room = room_there
        return room

    def _flush(self) -> None:
        """Log the pending slice, so that the logs tell everything."""
        self._settle(-math.inf)

    def _recover(self, now: float) -> None:
        quiet_s = self._settings.quiet_s
        periods = 1 + int((now - self._recovers_at) / quiet_s)
        rate = round(self._rate + periods * self._settings.recovery_step, 9)
        self._recovers_at += periods * quiet_s
        if rate >= 1.0:
            rate = 1.0
            self._recovers_at = math.inf
            self._throttle_wait_s = self._settings.throttle_wait_s
        self._set_rate(rate)

    def _slow_down(self, now: float) -> bool:
        """Halve the rate, once for all the calls that were in flight when the vendor had enough.

        True for the first of them.
        """
        settings = self._settings
        if now < max(self._episode_until, self._blocked_until):
            return False
        self._episode_until = now + settings.throttle_wait_s
        self._throttle_wait_s = min(settings.throttle_wait_cap_s, self._throttle_wait_s * 2)
        self._set_rate(max(settings.rate_floor, self._rate * settings.throttle_factor))
        return True

    def _block(self, now: float, until: float) -> None:
        self._blocked_until = max(self._blocked_until, until)
        self._recovers_at = max(now, self._blocked_until) + self._settings.quiet_s
        self._void_waiting(now)

    def _set_rate(self, rate: float) -> None:
        self._flush()
        self._rate = rate
        for log in self._logs:
            log.scale(rate)

    def _void_waiting(self, now: float) -> None:
        """Take back all grants for times after `now`; who waits for one learns it from `confirm`."""
        longest_s = max((log.span_s for log in self._logs), default=0.0)
        self._void = {at: weight for at, weight in self._void.items() if at > now - longest_s}
        for at, weight in self._waiting.items():
            if at > now:
                self._void[at] = self._void.get(at, 0) + weight
                for log in self._logs:
                    log.remove(at, weight)
        self._waiting.clear()
        self._newest = max((log.newest for log in self._logs), default=-math.inf)

    def _remove(self, granted_at: float, weight: int) -> None:
        self._flush()
        for log in self._logs:
            log.remove(granted_at, weight)
        self._newest = max((log.newest for log in self._logs), default=-math.inf)

    def _reserved(self, now: float) -> int:
        return sum(weight for at, weight in self._waiting.items() if at > now)

    def _log(self, window_s: float) -> WindowLog | None:
        return next((log for log in self._logs if log.window_s == window_s), None)


def _take(book: dict[float, int], at: float, weight: int) -> bool:
    """Take `weight` at this time out of the book, if it is there."""
    left = book.get(at, 0) - weight
    if left < 0 or at not in book:
        return False
    if left:
        book[at] = left
    else:
        del book[at]
    return True
