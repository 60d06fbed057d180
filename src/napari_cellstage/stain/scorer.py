"""`Scorer`: figures of one stain, image by image, and then over all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.intervals import RESAMPLES, mean_interval, percentiles
from napari_cellstage.stain.scaling import Range
from napari_cellstage.stain.scores import ImageScore, Interval, StainScore
from napari_cellstage.stain.tallies import (
    WidthTally,
    block_moments,
    cell_correlations,
    correlation,
    flat,
    moments,
)

Floats = NDArray[np.float32]
FEWEST_IMAGES = 3  # of fewer there is no r over images
BLOCKS_ACROSS = 6  # of one image, between which an interval is drawn
SMALLEST_BLOCK = 16
SSIM_WINDOW = 7


@dataclass(frozen=True)
class Shown:
    """Which image, or part of one, is scored."""

    name: str
    group: str
    t: int


@dataclass(eq=False)
class Scorer:
    """Takes one stain of image after image.

    Parameters
    ----------
    name
        Of the stain.
    ends
        Dark and bright end of it, see `Scaling.stains`; SSIM is over that range.
    mean
        ``(Zout, h, w)`` mean true image in scaled units, where all are of one small size; else None.
    """

    name: str
    ends: Range
    mean: Floats | None = None
    images: list[ImageScore] = field(default_factory=list)
    widths: WidthTally = field(default_factory=WidthTally)
    blocks: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 6)))
    residuals: list[float] = field(default_factory=list)
    cells: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)

    def add(
        self, shown: Shown, truth: Floats, predicted: Floats, width: Floats, labels: NDArray[np.integer] | None = None
    ) -> None:
        """Take one image: true and predicted stain and width of the interval, ``(Zout, h, w)`` in scaled units."""
        r = float(correlation(moments(truth, predicted)))
        cells = np.zeros(0) if labels is None else cell_correlations(truth, predicted, labels)
        there = np.isfinite(truth)
        sums = (self._sum(predicted[there]), self._sum(truth[there]))
        of_cells = float(cells.mean()) if len(cells) else float("nan")
        note = _why_none(self.name, r, truth)
        self.images.append(
            ImageScore(shown.name, shown.group, shown.t, r, similarity(truth, predicted), *sums, of_cells, note)
        )
        self.cells += cells.tolist()
        self.widths.add(truth, predicted, width)
        if self.mean is not None:
            self.residuals.append(float(correlation(moments(truth - self.mean, predicted - self.mean))))
        side = max(SMALLEST_BLOCK, -(-max(truth.shape[1:]) // BLOCKS_ACROSS))
        self.blocks = block_moments(truth, predicted, side) if len(self.images) == 1 else self.blocks

    def score(self, baseline_text: str, seed: int) -> StainScore:
        """Return the figures over all images."""
        r = np.array([one.pearson for one in self.images])
        sums = np.array([(one.true_sum, one.predicted_sum) for one in self.images])
        return StainScore(
            self.name,
            _mean(r),
            self._interval(r, seed),
            _mean([one.ssim for one in self.images]),
            float(correlation(moments(*sums.T))) if len(sums) >= FEWEST_IMAGES else float("nan"),
            _mean(self.residuals),
            _mean(self.cells),
            self.widths.worst_share(),
            self.widths.coverage,
            self.widths.curve(),
            _mean(self.baseline),
            baseline_text,
            tuple(self.images),
        )

    def _interval(self, r: NDArray[np.float64], seed: int) -> Interval:
        known = np.isfinite(r)
        if len(r) == 1 and known.all():
            return block_interval(self.blocks, seed)
        if known.sum() < 2:
            return (float("nan"), float("nan"))
        groups = np.unique([one.group for one in self.images], return_inverse=True)[1][known]
        _, places = np.unique(groups, return_inverse=True)
        return mean_interval(r[known], places, seed)

    def _sum(self, scaled: Floats) -> float:
        """Return the sum in the stain's own units."""
        low, high = self.ends
        return float(scaled.sum(dtype=np.float64) * (high - low) + low * scaled.size)


def block_interval(blocks: NDArray[np.float64], seed: int) -> Interval:
    """Return the interval of r of one image, whose blocks' `moments` ``(N, 6)`` are drawn again and again."""
    known = blocks[blocks[:, 0] > 0]
    if len(known) < 2:
        return (float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), RESAMPLES)
    return percentiles(correlation(times @ known), len(known))


def similarity(truth: Floats, predicted: Floats) -> float:
    """Return structural similarity of ``(Zout, h, w)`` in scaled units, plane by plane; NaN for tiny images."""
    from scipy.ndimage import binary_erosion
    from skimage.metrics import structural_similarity

    window = min(SSIM_WINDOW, min(truth.shape[1:]) - 1 + min(truth.shape[1:]) % 2)
    if window < 3:
        return float("nan")
    found = []
    for true, made in zip(truth, predicted, strict=True):
        there = np.isfinite(true) & np.isfinite(made)
        a, b = np.where(there, true, 0), np.where(there, made, 0)
        _, values = structural_similarity(a, b, win_size=window, data_range=1.0, full=True)  # type: ignore[no-untyped-call]
        inside = binary_erosion(there, np.ones((window, window)))  # skimage, too, leaves the rim out
        found.append(values[inside])
    each = np.concatenate(found)
    return float(each.mean()) if len(each) else float("nan")


def _why_none(stain: str, r: float, truth: Floats) -> str:
    if np.isfinite(r):
        return ""
    who = "true" if flat(truth) else "predicted"
    return f"The {who} {stain} is the same everywhere, so there is no r."


def _mean(values: list[float] | NDArray[np.float64]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
