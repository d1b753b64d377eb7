"""Whether the console may act: always, or, where it was opened read-only, for a while after it was armed."""

import hmac

from mds_engine.secret import Secret

_NO_TOKEN = Secret()


class Arming:
    """A switch that falls back by itself. Pure; `now` is monotonic seconds."""

    def __init__(self, *, read_only: bool, token: Secret = _NO_TOKEN) -> None:
        """`token` is asked for before it arms; an empty one asks for nothing."""
        self.read_only = read_only
        """Whether it acts only while it is armed."""
        self.needs_token = bool(token)
        self._token = token
        self._until: float | None = None

    def may_act(self, now: float) -> bool:
        """Whether anything dangerous may be done."""
        return not self.read_only or self.left_s(now) is not None

    def left_s(self, now: float) -> float | None:
        """Seconds for which it is armed; None if it is not."""
        return None if self._until is None or now >= self._until else self._until - now

    def arm(self, for_s: float, now: float, token: str = "") -> bool:
        """Act from now on for `for_s` seconds. False, and nothing changed, if the token is wrong."""
        # Compared in constant time, so that its answer's haste says nothing of how much was right.
        if self.needs_token and not hmac.compare_digest(token.encode(), self._token.reveal().encode()):
            return False
        if self.read_only:
            self._until = now + for_s
        return True

    def disarm(self) -> None:
        """Read-only again at once."""
        self._until = None

    def ran_out(self, now: float) -> bool:
        """True, once, when its time has ended by itself."""
        if self._until is None or now < self._until:
            return False
        self._until = None
        return True
