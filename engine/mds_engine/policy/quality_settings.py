"""Settings of the checks on live data."""

from typing import Annotated

import msgspec

_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[quality]`: when live data looks wrong."""

    enabled: bool = True
    """Whether live data is checked at all."""
    band_bps: _Positive = 50.0
    """Two sources of an instrument may always differ by so many basis points."""
    widest_bps: _Positive = 300.0
    """No difference beyond so many basis points is learned as usual, or passes before one is learned."""
    band_factor: _Positive = 4.0
    """Sources may differ by so many times what they usually differ by."""
    learn_after: _Count = 30
    """Comparisons, one a second at most, before a usual difference counts as learned."""
    window_s: _Positive = 6.0
    """A vendor may be so many seconds late: its price is held against the other's range over them."""
    hold_s: _Positive = 2.0
    """What looks wrong must go on for so many seconds before it is said."""
    recover_s: _Positive = 10.0
    """What was said to be wrong must look right for so many seconds before it is trusted again."""
    frozen_s: _Positive = 10.0
    """A price that stood still for less than so many seconds is never frozen."""
    frozen_factor: _Positive = 5.0
    """A price is frozen at the earliest after so many times its longest usual standstill."""
    future_s: _Positive = 2.0
    """A time may be so many seconds further ahead of this machine's clock than it usually is."""
    past_s: _Positive = 60.0
    """A new trade's time may be so many seconds older than this vendor's trades usually are."""

    def __post_init__(self) -> None:
        """Refuse bands that exclude each other."""
        if self.widest_bps < self.band_bps:
            raise ValueError("widest_bps must be at least band_bps")
