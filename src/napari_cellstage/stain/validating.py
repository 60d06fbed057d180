"""`Watch`: places that nothing is learned from, looked at after each epoch: loss, Pearson r, and the live picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.events import StainPicture
from napari_cellstage.stain.learner import Answer
from napari_cellstage.stain.networks import HIGH, LOW, MEAN
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.patches import Cutter
from napari_cellstage.stain.picture import Shown, covering, worth_showing
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.training_pixels import hold

Floats = NDArray[np.float32]
INSIDE = 0.8  # share of pixels that the interval should hold


@dataclass(frozen=True, eq=False)
class Looked:
    """How good a network is after an epoch: its loss, r by stain (NaN where there is none), and the live picture."""

    loss: float
    pearson: dict[str, float]
    picture: StainPicture | None


@dataclass(frozen=True, eq=False)
class Watch:
    """Places that nothing is learned from, in memory.

    Parameters
    ----------
    inputs, targets
        ``(N, C, ...)`` and ``(N, S, ...)`` as `Cutter.cut` gives them.
    pairs
        ``(N,)``: of which pair each place is.
    stain_names
        S.
    shown
        What the live picture shows; None without any place.
    batch
        Places that are looked at together.
    """

    inputs: Tensor
    targets: Tensor
    pairs: NDArray[np.int64]
    stain_names: tuple[str, ...]
    shown: Shown | None
    batch: int

    @classmethod
    def of(
        cls,
        data: StainSet,
        regions: Sequence[Region],
        cutter: Cutter,
        scaling: Scaling,
        names: Sequence[str],
        batch: int,
    ) -> Watch:
        """Read places that cover regions, at most 256, evenly chosen."""
        places, tiles = covering(data, regions, cutter)
        if not places:
            nothing = torch.zeros(0)
            return cls(nothing, nothing, np.zeros(0, np.int64), tuple(names), None, batch)
        held = [hold(data.pairs[tile.pair], tile, scaling) for tile in tiles]
        inputs, targets = cutter.cut(held, places)
        looked_at = [tiles[place.held] for place in places]
        to_show = worth_showing(data, regions, looked_at, targets.numpy(), cutter)
        shown = Shown.of(data, to_show, cutter, scaling, names)
        numbers = np.array([tile.pair for tile in looked_at], dtype=np.int64)
        return cls(inputs, targets, numbers, tuple(names), shown, batch)

    def __len__(self) -> int:
        return len(self.inputs)

    def look(self, ask: Answer) -> Looked:
        """Say how good a network is."""
        if not len(self):
            return Looked(math.nan, dict.fromkeys(self.stain_names, math.nan), None)
        said, loss = self.answers(ask)
        r = {name: self._pearson(said[:, number, MEAN], number) for number, name in enumerate(self.stain_names)}
        return Looked(loss, r, self.shown.by(ask) if self.shown else None)

    def answers(self, ask: Answer) -> tuple[Floats, float]:
        """Return what a network says of all places, ``(N, S, 3, ...)`` scaled, and its mean loss."""
        said, losses = [], []
        for start in range(0, len(self), self.batch):
            part = slice(start, start + self.batch)
            answer, loss = ask(self.inputs[part], self.targets[part])
            said.append(answer.numpy())
            losses.append(loss * len(answer))
        return np.concatenate(said), sum(losses) / len(self)

    def _pearson(self, said: Floats, number: int) -> float:
        """Return the mean over images of r between prediction and truth."""
        truth = self.targets[:, number].numpy()
        found = [pearson(said[self.pairs == one], truth[self.pairs == one]) for one in np.unique(self.pairs)]
        known = [r for r in found if not math.isnan(r)]
        return float(np.mean(known)) if known else math.nan


def calibration(said: Floats, targets: Floats) -> float:
    """Return by how much one stain's interval is multiplied, so that it holds 80 % of the pixels.

    Parameters
    ----------
    said
        ``(N, 3, ...)`` of pixels that nothing was learned from.
    targets
        ``(N, ...)``; NaN where it is not known. Where nothing is, 1.
    """
    mean = said[:, MEAN]
    off = targets - mean
    side = np.where(off < 0, mean - said[:, LOW], said[:, HIGH] - mean)
    known = np.isfinite(off) & (side > 0)
    return float(np.quantile(np.abs(off[known]) / side[known], INSIDE)) if known.any() else 1.0


def pearson(first: Floats, second: Floats) -> float:
    """Return r over the pixels that both know; NaN where one of them is the same everywhere."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 2:
        return math.nan
    a, b = (values[known].astype(np.float64) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    length = math.sqrt(float((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else math.nan
