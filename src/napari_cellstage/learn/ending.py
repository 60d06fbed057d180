"""What comes after a network's last epoch: its answers on cells it has not seen, its temperature, its space."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.review.space import Space
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import cautious_temperature, cross_fitted
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.held_out import unseen_of
from napari_cellstage.learn.network_predict import Seen, look
from napari_cellstage.learn.networks import CellNetwork
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.verdicts import placed

Rows = NDArray[np.int64]
Values = NDArray[np.float32]
MOST_IN_SPACE = 1000  # training cells that are looked at again to see where training cells lie


@dataclass(frozen=True)
class Parts:
    """Rows of a training set: learned from, choosing the epoch, and measuring the score. No cell is in two."""

    train: Rows
    valid: Rows
    held_out: Rows
    is_held_out: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """What the network says of cells it has not learned from.

    Parameters
    ----------
    held_out
        Of all held-out cells; None where a stop came before any epoch's were looked at.
    valid
        ``(n, K)`` of the cells that chose the epoch; no rows where there are none, or after a stop.
    temperature
        Fitted on both.
    """

    held_out: Seen | None
    valid: Values
    temperature: float

    def unseen(self, data: TrainingSet, parts: Parts, space: Space | None, seed: int) -> Unseen | None:
        """Return the answers on the held-out cells, each calibrated by a temperature from other groups."""
        if self.held_out is None or not len(parts.held_out):
            return None
        raw = self.held_out.probabilities
        rows = np.concatenate([parts.held_out, parts.valid[: len(self.valid)]])
        fair = cross_fitted(np.concatenate([raw, self.valid]), data.labels[rows], data.groups[rows], seed)
        embedding, unlike = (None, None) if space is None else placed(space, self.held_out.features)
        return unseen_of(data, parts.held_out, raw, fair[: len(raw)], embedding=embedding, unlike=unlike)


@dataclass(frozen=True, eq=False)
class Ending:
    """The training's data, to look at them a last time."""

    data: TrainingSet
    recipe: Recipe
    parts: Parts
    crops: Tensor
    should_stop: Callable[[], bool]

    def judged(self, network: CellNetwork, kept: Seen | None) -> Generator[BatchDone, None, Judged]:
        """Look at validation and held-out cells; where a stop prevents it, take what was seen at the kept epoch."""
        held_out = yield from self._seen(network, self.parts.held_out)
        held_out = kept if held_out is None else held_out
        valid = yield from self._seen(network, self.parts.valid)
        nothing = np.zeros((0, len(self.data.classes)), dtype=np.float32)
        said = nothing if valid is None else valid.probabilities
        both = np.concatenate([nothing if held_out is None else held_out.probabilities, said])
        rows = [*([] if held_out is None else [self.parts.held_out]), self.parts.valid[: len(said)]]
        return Judged(held_out, said, cautious_temperature(both, self.data.labels[np.concatenate(rows)]))

    def space(self, network: CellNetwork) -> Generator[BatchDone, None, Space | None]:
        """Return where training cells lie in what the network sees; None after a stop."""
        rng = np.random.default_rng(self.recipe.seed)
        rows = np.sort(rng.permutation(self.parts.train)[:MOST_IN_SPACE])
        seen = yield from self._seen(network, rows)
        if seen is None:
            return None
        return Space.fit(seen.features, self.data.groups[rows], self.recipe.seed, labels=self.data.labels[rows])

    def _seen(self, network: CellNetwork, rows: Rows) -> Generator[BatchDone, None, Seen | None]:
        """Look at cells in all views; None when a stop came in between."""
        seen = yield from look(network, self.crops[rows], self.recipe, self.should_stop, what="scoring")
        return seen if seen.reached == len(rows) else None
