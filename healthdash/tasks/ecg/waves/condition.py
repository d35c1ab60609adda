"""From a lead to what the network sees: one rate, no drift, no hum, heights of about one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from healthdash.signals.filters import band_pass

from ..resample import resampled

__all__ = ["CONFIG", "INPUT", "conditioned", "filtered", "window_starts", "windows"]

Floats = NDArray[np.float32]
#: Name of the network's only input.
INPUT = "window"
#: Constants of the preprocessing; a bundle stores the ones that it was trained with.
CONFIG: dict[str, Any] = {
    "rate_hz": 250.0,
    # Drift of breathing and electrodes is below, hum of mains above; both limits move no wave, for the
    # filter runs forwards and backwards.
    "band_hz": [0.5, 40.0],
    # The height is followed over this time, and no stretch is raised to more than so many times.
    "height_s": 4.0,
    "most_raised": 8.0,
    "clip": 8.0,
    # A window, and the part in its middle that the output is about.
    "samples": 1024,
    "core": 512,
    "most_windows": 120,
}


def filtered(leads: Floats, rate_hz: float, config: Mapping[str, Any]) -> Floats:
    """Return leads (n, n_leads) at `config`'s rate without drift and hum, in their own unit."""
    working = np.asarray(resampled(leads, rate_hz, config["rate_hz"]), np.float32)
    if len(working) < 30:  # shorter than the filter's own start
        return np.asarray(working - working.mean(axis=0, keepdims=True), np.float32)
    low, high = config["band_hz"]
    highest = min(high, 0.45 * min(rate_hz, config["rate_hz"]))
    band = band_pass(2, low, highest, config["rate_hz"])
    padding = min(len(working) - 1, round(2 * config["rate_hz"]))
    return np.asarray(signal.sosfiltfilt(band, working, axis=0, padlen=padding), np.float32)


def conditioned(leads: Floats, rate_hz: float, config: Mapping[str, Any]) -> Floats:
    """Return what the network sees of leads, float32 (about n * 250 / rate_hz, n_leads), without a unit.

    Each lead is divided by its own root mean square over the seconds around, so that neither the gain of
    the recorder nor the size of a lead counts. A flat lead stays 0.
    """
    working = filtered(leads, rate_hz, config)
    width = max(1, min(len(working), round(config["height_s"] * config["rate_hz"])))
    power = ndimage.uniform_filter1d(np.square(working, dtype=np.float64), width, axis=0, mode="reflect")
    height = np.sqrt(np.maximum(power, 0))
    usual = np.median(height, axis=0, keepdims=True)
    height = np.maximum(height, np.maximum(usual / config["most_raised"], 1e-7))
    return np.asarray(np.clip(working / height, -config["clip"], config["clip"]), np.float32)


def window_starts(length: int, config: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return where windows begin (may be below 0), so that their cores lie side by side over a recording.

    Of a long recording so many as `config` says, evenly apart.
    """
    core, margin = config["core"], (config["samples"] - config["core"]) // 2
    if length <= core:
        return np.array([(length - config["samples"]) // 2], np.int64)
    count = -(-length // core)
    most = min(count, config["most_windows"])
    return np.asarray(np.rint(np.linspace(0, length - core, most)) - margin, np.int64)


def windows(lead: Floats, starts: NDArray[np.int64], config: Mapping[str, Any]) -> Floats:
    """Return windows (m, samples, 1) of a conditioned lead; outside it they are 0."""
    places = starts[:, None] + np.arange(config["samples"])
    inside = (places >= 0) & (places < len(lead))
    cut = np.where(inside, lead[np.clip(places, 0, len(lead) - 1)], 0)
    return np.asarray(cut[:, :, None], np.float32)
