"""How much more labels would bring, told from models of a part of the labels. Classical features, linear heads."""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.scoring.gain import Gain, estimate_gain
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.fit import never
from napari_cellstage.learn.linear_head import linear_heads
from napari_cellstage.learn.measure import Measure, steady_normalisation
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
ShouldStop = Callable[[], bool]
SHARES = (0.25, 0.5, 0.75, 1.0)
DRAWS = 3  # of each share but the last
FOLDS = 5
FEWEST = 30  # labels
SHRINKAGE = 0.35  # what is chosen most often; the choice itself would take most of the time
MOST = 1500  # labels that are looked at, so that it takes seconds


def expected_gain(
    snapshot: WorkSnapshot, recipe: Recipe, cache: FeatureCache | None = None, should_stop: ShouldStop = never
) -> Generator[BatchDone, None, Gain]:
    """Estimate the gain in accuracy from 100 more labels of a project.

    Parameters
    ----------
    snapshot
        Images, cells and labels.
    recipe
        How cells are cut out; its seed.
    cache
        Where features measured before are found again.
    should_stop
        Ends the work.

    Raises
    ------
    TrainingError
        If there are too few labels, or all is to stop.
    """
    data = TrainingSet.from_snapshot(snapshot, recipe)
    if len(data) < FEWEST:
        lacking = FEWEST - len(data)
        raise TrainingError(
            f"{len(data)} labels are too few to tell what more would bring. Label {lacking} more first."
        )
    normalisation = steady_normalisation(data.crops[~data.held_out(recipe)], recipe)
    measure = Measure(normalisation, recipe, None, cache)
    features = yield from measure.features(data.crops, data.masks, should_stop, "measuring cells")
    if len(features) < len(data):
        raise TrainingStopped("Stopped before it could be told what more labels would bring.")
    return (yield from gain_of(features, data.labels, data.groups, recipe.seed, should_stop))


def gain_of(
    features: Values, labels: Labels, groups: NDArray[np.str_], seed: int = 0, should_stop: ShouldStop = never
) -> Generator[BatchDone, None, Gain]:
    """Estimate the gain from features ``(N, F)`` of labelled cells; the rest as in `expected_gain`."""
    rng = np.random.default_rng(seed)
    total = len(labels)
    if total > MOST:
        kept = np.sort(rng.choice(total, MOST, replace=False))
        features, labels, groups = features[kept], labels[kept], groups[kept]
    fold = kfold(labels, groups, FOLDS, seed)
    folds = int(fold.max(initial=0)) + 1
    if folds < 2:
        raise TrainingError("All labelled cells belong together, so none can be kept aside. Label a second image.")
    right = np.zeros((len(SHARES), len(labels)))
    for number in range(folds):
        for place, share in enumerate(SHARES):
            right[place, fold == number] = _right(features, labels, fold == number, share, rng)
            if should_stop():
                raise TrainingStopped("Stopped before it could be told what more labels would bring.")
        yield BatchDone("trying parts of the labels", number + 1, folds)
    # What models of four fifths of the labels reach stands for what all labels do.
    return estimate_gain(np.array(SHARES) * total, right, labels, groups, seed=seed)


def _right(
    features: Values, labels: Labels, held: NDArray[np.bool_], share: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return how often models of a share of the other cells are right about the held ones, ``(n,)`` of 0 to 1."""
    classes, recipe = int(labels.max()) + 1, Recipe.load("quick")
    draws = 1 if share == 1 else DRAWS
    found = np.zeros(int(held.sum()))
    for _ in range(draws):
        rows = _part(labels, ~held, share, rng)
        head = linear_heads(features[rows], labels[rows], classes, recipe, (SHRINKAGE,))[SHRINKAGE]
        found += head.scores(features[held]).argmax(axis=1) == labels[held]
    return found / draws


def _part(labels: Labels, allowed: NDArray[np.bool_], share: float, rng: np.random.Generator) -> Labels:
    """Draw a share of the allowed cells of each class, one at least."""
    parts = []
    for label in np.unique(labels[allowed]):
        rows = rng.permutation(np.flatnonzero(allowed & (labels == label)))
        parts.append(rows[: max(1, round(share * len(rows)))])
    return np.sort(np.concatenate(parts))
