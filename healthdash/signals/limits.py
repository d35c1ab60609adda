"""What a header may claim: checked before any memory is taken."""

from __future__ import annotations

import math

from healthdash.errors import InvalidInput, UnreadableUpload

__all__ = ["MOST_CHANNELS", "MOST_VALUES", "checked_rate", "checked_scale", "checked_size"]

#: Values of one recording, over all channels: 12 leads at 500 Hz for 9 hours, or 64 channels at 256 Hz for 3.
MOST_VALUES = 200_000_000
MOST_CHANNELS = 1024
# Slower than any monitored signal, faster than any recorder of them: a damaged header or another unit.
_RATES_HZ = (0.001, 1_000_000.0)
_SCALES = (1e-15, 1e15)


def checked_size(samples: float, channels: int = 1) -> None:
    """Raise `InvalidInput` where a header claims more values than are opened.

    Parameters
    ----------
    samples : float
        Of each channel.
    """
    if channels < 1 or samples < 1:
        raise InvalidInput("the recording holds no samples", hint="Export it again.")
    if channels > MOST_CHANNELS:
        raise InvalidInput(
            f"expected at most {MOST_CHANNELS:,} channels, the header names {channels:,}",
            hint="Export it again.",
        )
    if samples * channels > MOST_VALUES:
        raise InvalidInput(
            f"expected at most {MOST_VALUES:,} values, the header announces {samples * channels:,.0f}",
            hint="Export a shorter part, or fewer channels.",
        )


def checked_rate(rate_hz: float) -> float:
    """Return a sampling rate in hertz; raise `InvalidInput` where it is none."""
    if not math.isfinite(rate_hz) or not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise InvalidInput(
            f"expected a sampling rate in hertz, the header says {rate_hz:g}", hint="Export it again."
        )
    return float(rate_hz)


def checked_scale(scale: float, what: str) -> float:
    """Return a gain or resolution; raise `UnreadableUpload` where it is 0, not finite or absurd."""
    if not math.isfinite(scale) or not _SCALES[0] <= abs(scale) <= _SCALES[1]:
        raise UnreadableUpload(
            f"expected a usable {what} in the header, got {scale:g}",
            hint="The values cannot be turned into a physical unit: export the recording again.",
        )
    return float(scale)
