"""`StainPrediction`: the stains that a model predicts for an image, and how far to trust them. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_cellstage.stain.verdicts import Verdict


@dataclass(frozen=True, eq=False)
class StainPrediction:
    """What one model predicts for the time points of one image.

    Parameters
    ----------
    stain_names
        The S stains, as the training data call them.
    mean
        ``(T, S, Z, Y, X)`` float32 in the stains' own units; a numpy array, or a zarr array where it was large. Z is 1
        where the model predicts a plane or a maximum of a stack, else that of the image.
    uncertainty
        The same shape and units: width of the interval that holds 80 % of the true values, calibrated on pixels that
        the model had not learned from. 0 is sure.
    unlike
        ``(T, 1, 1, h, w)`` float32, a coarse map: over 1 where the image is unlike the training data, the further the
        more; NaN where the model can't tell.
    step
        How many image pixels a pixel of `unlike` is high and wide: it covers rows ``i * step`` to ``(i + 1) * step``.
    verdicts
        One a time point.
    times
        The time points of the image that were predicted, in the order of axis T.
    notes
        Sentences to show: what was resampled, left out, taken instead.
    stopped
        True when it was stopped: only the time points in `times` are there, each whole.
    keep
        What must live as long as the arrays, such as a temporary folder.
    """

    stain_names: tuple[str, ...]
    mean: Any
    uncertainty: Any
    unlike: Any
    step: tuple[float, float]
    verdicts: tuple[Verdict, ...]
    times: tuple[int, ...]
    notes: tuple[str, ...] = ()
    stopped: bool = False
    keep: object = None

    @property
    def worst(self) -> Verdict | None:
        """The verdict of the time point that is least like the training data; None without any."""
        from napari_cellstage.stain.verdicts import LEVELS

        return max(self.verdicts, key=lambda one: (LEVELS.index(one.level), one.share_unlike), default=None)
