"""`RateCurve`: losses at rising learning rates, and the rate that they suggest. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from napari_cellstage.core.errors import TrainingError

SMOOTHING = 3.0  # steps; neighbouring batches differ by chance
LEAST_FALL = 0.03  # share of the first loss; less is chance
FEWEST_STEPS = 10
BELOW = 10.0  # times below the rate of the lowest loss
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RateCurve:
    """What a range test found.

    Parameters
    ----------
    rates
        ``(n,)`` rising learning rates.
    losses
        ``(n,)`` of the batch at each.
    smooth
        ``(n,)`` the same, smoothed: what the suggestion is read from.
    suggestion
        A tenth of the rate at which the smoothed loss is lowest; None where it does not fall.
    """

    rates: Floats
    losses: Floats
    smooth: Floats
    suggestion: float | None

    @property
    def text(self) -> str:
        """The suggestion as a sentence."""
        if self.suggestion is None:
            return "The loss does not fall at any learning rate, so none is suggested."
        return f"Suggested learning rate: {self.suggestion:.2g}, a tenth of that with the lowest loss."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        values = {name: [float(f"{one:.6g}") for one in getattr(self, name)] for name in ("rates", "losses", "smooth")}
        return values | {"suggestion": self.suggestion}


def curve_of(rates: Floats, losses: Floats) -> RateCurve:
    """Read a range test: smooth the losses over neighbouring steps, and take a tenth of the rate of the lowest.

    There the loss still falls, with room before it rises. Where it falls fastest is often far too early: with a network
    from scratch on the Jurkat cells at 5e-5, where a tenth of the lowest is 1e-3.

    Parameters
    ----------
    rates
        ``(n,)`` rising, evenly spaced in their logarithm.
    losses
        ``(n,)``; a tail that diverged may be there.

    Raises
    ------
    TrainingError
        If there are too few steps to read anything from.
    """
    if len(rates) < FEWEST_STEPS:
        raise TrainingError(
            f"The learning-rate finder made {len(rates)} steps, and {FEWEST_STEPS} are needed. Start it again."
        )
    smooth = gaussian_filter1d(losses, SMOOTHING, mode="nearest")
    lowest = int(smooth.argmin())
    before = smooth[: lowest + 1]
    # Only where it has begun to fall for good: what comes before the highest point of the start is noise.
    start = int(before.argmax())
    fall = before[start] - before[-1]
    if lowest - start < 2 or fall < LEAST_FALL * abs(before[start]):
        return RateCurve(rates, losses, smooth, None)
    return RateCurve(rates, losses, smooth, float(f"{max(rates[lowest] / BELOW, rates[0]):.2g}"))
