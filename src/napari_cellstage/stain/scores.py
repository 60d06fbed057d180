"""`StainScores`: how well predicted stains fit true ones that the model had not learned from. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import fmean
from typing import Any

from napari_cellstage.core.json_values import plain

Interval = tuple[float, float]


@dataclass(frozen=True)
class ImageScore:
    """One stain of one image (or of one held-out region of it).

    Parameters
    ----------
    name, group, t
        Which image, its group, and time point.
    pearson
        Correlation of predicted and true pixels; NaN where either is the same everywhere.
    ssim
        Structural similarity (Wang et al. 2004, skimage), over the stain's range in the training data.
    predicted_sum, true_sum
        Summed intensity.
    cells_pearson
        Mean over the cells of the image where there are labels, else NaN.
    note
        Why there is no r, or empty.
    """

    name: str
    group: str
    t: int
    pearson: float
    ssim: float
    predicted_sum: float
    true_sum: float
    cells_pearson: float = float("nan")
    note: str = ""


@dataclass(frozen=True)
class StainScore:
    """One stain over all images.

    Parameters
    ----------
    name
        Of the stain.
    pearson, ssim
        Means over images.
    pearson_interval
        95 %, by bootstrap over groups of images; over blocks where there is one image.
    content_r
        Correlation over images of summed predicted with summed true intensity; NaN for fewer than 3 images.
    residual_pearson
        Mean over images of r after the mean true image of the training part was taken off both, where all images are
        of one small size; else NaN. Where no training part was given, that of the images scored.
    cells_pearson
        Mean over cells, where there are labels.
    worst_tenth
        Share of the squared error that lies in the tenth of pixels with the highest predicted uncertainty.
    coverage
        Share of true pixels inside the predicted 80 % interval.
    error_curve
        Pairs: mean predicted uncertainty and root mean squared error of ten equal shares of the pixels.
    baseline
        r of the best single plane, blurred; both chosen on the training part. NaN where there was none.
    baseline_text
        Which plane and blur that is.
    images
        One each.
    """

    name: str
    pearson: float
    pearson_interval: Interval
    ssim: float
    content_r: float
    residual_pearson: float
    cells_pearson: float
    worst_tenth: float
    coverage: float
    error_curve: tuple[tuple[float, float], ...]
    baseline: float
    baseline_text: str
    images: tuple[ImageScore, ...]


@dataclass(frozen=True)
class StainScores:
    """All stains of one model.

    Parameters
    ----------
    stains
        One each, in the model's order.
    n_images
        Images (or held-out regions) that were scored.
    notes
        Sentences to show.
    stopped
        True when some were not reached.
    calibrated_here
        True when the interval was calibrated on pixels that are scored, so that `StainScore.coverage` and the widths
        in `StainScore.error_curve` do not say how right it is elsewhere. No other figure depends on that.
    """

    stains: tuple[StainScore, ...]
    n_images: int
    notes: tuple[str, ...] = ()
    stopped: bool = False
    calibrated_here: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: None for what is not known; ``pearson`` and ``ssim`` are means over stains."""
        found = {name: _mean(getattr(one, name) for one in self.stains) for name in ("pearson", "ssim", "content_r")}
        stains = {one.name: plain(asdict(one)) for one in self.stains}
        return found | {
            "stains": stains,
            "n_images": self.n_images,
            "notes": list(self.notes),
            "stopped": self.stopped,
            "calibrated_here": self.calibrated_here,
        }


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if isfinite(value)]
    return fmean(known) if known else None
