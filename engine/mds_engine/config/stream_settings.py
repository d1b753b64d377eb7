"""Settings of live streams."""

from typing import Annotated

import msgspec

_Positive = Annotated[float, msgspec.Meta(gt=0)]


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[streams]`: live ticks."""

    open_timeout_s: _Positive = 10.0
    """Longest time to connect and log in to a stream, in seconds."""
    mute_after_s: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """A live stream without a tick for so many seconds in an open market is lost; 0 switches this off."""
    regular_hours: bool = True
    """Whether silence outside an exchange's regular hours is no fault; false where markets never close."""
    reader_queue: Annotated[int, msgspec.Meta(ge=1)] = 10000
    """Ticks that wait for one slow reader before the oldest are dropped, counted, and told."""
    linger_s: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """An instrument stays subscribed for so many seconds after its last reader has gone."""
