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
    ring_s: _Positive = 10.0
    """What a standby sent in the last so many seconds is held, to be delivered if it takes over."""
    ring_ticks: Annotated[int, msgspec.Meta(ge=1)] = 100_000
    """Most ticks that are held of one standby."""
    handover_s: _Positive = 5.0
    """Longest time that a planned change waits for both sources to overlap, in seconds."""
    reorder_s: Annotated[float, msgspec.Meta(ge=0)] = 0.15
    """A trade that is missing may come so many seconds late before it is asked for over REST."""
    fill_within_s: _Positive = 5.0
    """Missing trades that are not had within so many seconds are told as a gap."""
    fill_most: Annotated[int, msgspec.Meta(ge=0)] = 20_000
    """Most missing trades that are asked for at once; of a larger hole the rest is a gap."""
    return_after_s: _Positive = 10.0
    """An instrument that was moved off a source alone goes back after so many seconds of good ticks."""
    instrument_mute_after_s: _Positive = 60.0
    """Seconds of silence, longer than usual, after which one instrument of a stream that flows is mute."""
    confirm_within_s: _Positive = 30.0
    """An instrument without a tick so many seconds after it was subscribed, in an open market, is named."""
