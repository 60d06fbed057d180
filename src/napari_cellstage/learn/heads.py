"""The choice between small classifiers on top of per-cell features, by cross-validation or by name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.boosting import BoostedHead, boosted_heads
from napari_cellstage.learn.chosen import Chosen, KnownChoice
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.kernel_head import SHARPNESSES, KernelHead, Sharpness, kernel_heads
from napari_cellstage.learn.linear_head import SHRINKAGES, LinearHead, linear_heads
from napari_cellstage.learn.pair_head import Pair, PairHead
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.stacking import chosen_weights, plain
from napari_cellstage.learn.trial import Trial, Tried

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
ShouldStop = Callable[[], bool]
Rows = NDArray[np.bool_]

FOLDS = 4
# Trees are tried on folds until so many cells were tried: that tells how sure they may be, and growing trees is nearly
# all of the time that a training takes.
ENOUGH_TRIED = 400
AS_BEFORE = "as before, since few labels have changed"
BOTH = "a linear and a kernel classifier together"
STOPPED = "a linear classifier, as the training was stopped before its trees had grown"
Heads = Callable[..., Mapping[Any, LinearHead | KernelHead]]


@dataclass(frozen=True)
class Family:
    """Classifiers that differ by one strength, which trials choose.

    Parameters
    ----------
    name
        In words.
    heads
        Trains one for each strength.
    strengths
        Those that are tried.
    usual
        The one where there are too few cells to choose.
    """

    name: str
    heads: Heads
    strengths: tuple[Any, ...]
    usual: Any


LINEAR = Family("a linear classifier", linear_heads, SHRINKAGES, 0.6)
KERNEL = Family("a kernel classifier", kernel_heads, SHARPNESSES, SHARPNESSES[2])


def choose_head(
    features: Values,
    labels: Labels,
    groups: NDArray[Any],
    classes: int,
    recipe: Recipe,
    should_stop: ShouldStop,
    known: KnownChoice | None = None,
) -> Generator[BatchDone, None, Chosen]:
    """Try classifiers of several strengths on held-back groups, then train on all cells what did best.

    That is a linear and a kernel classifier put together, or the one that the recipe names.

    Parameters
    ----------
    features
        ``(N, F)`` of the training cells only.
    labels
        ``(N,)`` from 0 to ``classes - 1``.
    groups
        ``(N,)``; folds never cut through one.
    classes
        Number of classes.
    recipe
        Its `classifier`, `trees`, `tree_rate`, `class_weights`, `seed` and `threads`.
    should_stop
        Once True, the best so far is taken.
    known
        What was chosen before, where it fits the recipe; None to try everything.
    """
    known = known if known is not None and known.fits(recipe) else None
    work = _Choosing(features, labels, classes, recipe, should_stop)
    if known is not None and known.pair is not None:
        return Chosen(work.put_together(known.pair), known.temperature, f"{BOTH}, {AS_BEFORE}")
    if known is not None and known.trees:
        grown = yield from work.grown([np.ones(len(labels), dtype=bool)], "training boosted trees")
        if grown:
            return Chosen(grown[0], known.temperature, f"boosted trees, {AS_BEFORE}")
    fold = kfold(labels, groups, FOLDS, recipe.seed)
    if recipe.classifier == "trees":
        trees = yield from work.trees(fold)
        return trees or replace(work.alone((yield from work.best_of(LINEAR, fold))), report=STOPPED)
    if recipe.classifier == "kernel":
        return work.alone((yield from work.best_of(KERNEL, fold)), KERNEL)
    linear = yield from work.best_of(LINEAR, fold)
    if recipe.classifier == "linear" or linear is None or should_stop():
        return work.alone(linear)
    kernel = yield from work.best_of(KERNEL, fold)
    return work.alone(linear) if kernel is None or should_stop() else work.both(linear, kernel, fold)


@dataclass(frozen=True)
class _Best:
    """The best strength of a family, by its trial on the cells of each fold."""

    family: Family
    strength: Any
    tried: Tried
    trial: Trial


@dataclass
class _Choosing:
    """One choice between candidates, and what it takes."""

    features: Values
    labels: Labels
    classes: int
    recipe: Recipe
    should_stop: ShouldStop

    def best_of(self, family: Family, fold: Labels) -> Generator[BatchDone, None, _Best | None]:
        """Try classifiers of several strengths on every fold; None where there are too few cells, or after a stop."""
        trials = {strength: Trial(self.labels, self.classes) for strength in family.strengths}
        folds = int(fold.max()) + 1
        for number in range(folds if folds > 1 else 0):
            if self.should_stop():
                break
            rest, held = fold != number, fold == number
            seen = np.unique(self.labels[rest])
            for strength, head in self._trained(family, rest, family.strengths).items():
                trials[strength].add(held, head.scores(self.features[held]), seen)
            yield BatchDone("choosing a classifier", number + 1, folds)
        if not trials[family.usual].rows.any():
            return None
        results: dict[Any, Tried] = {}
        for strength, trial in trials.items():
            results[strength] = trial.on(trial.rows)
            yield BatchDone("choosing a classifier", folds, folds)
            if self.should_stop():
                break
        strength = min(results, key=lambda one: results[one].loss)
        return _Best(family, strength, results[strength], trials[strength])

    def alone(self, best: _Best | None, family: Family = LINEAR) -> Chosen:
        """Train one classifier on all cells: the best of its family, or its usual one where nothing was tried."""
        if best is None:
            return self._untried(family)
        report = f"{best.family.name} ({best.tried.accuracy:.2f} right in trials while training)"
        return Chosen(self._on_all(best.family, best.strength), best.tried.temperature, report)

    def both(self, linear: _Best, kernel: _Best, fold: Labels) -> Chosen:
        """Train both on all cells; how sure they may be together is from the trials."""
        temperatures = linear.tried.temperature, kernel.tried.temperature
        pair = Pair(float(linear.strength), Sharpness(*kernel.strength), temperatures)
        together = Trial(self.labels, self.classes)
        rows = linear.trial.rows & kernel.trial.rows
        said = pair.said(linear.trial.scores[rows], kernel.trial.scores[rows])
        # Of a class in one group only no cell was tried: weights would learn that there is no such class.
        if np.isin(self.labels, self.labels[rows]).all():
            weights, scores = chosen_weights(said, self.labels[rows], fold[rows], self._worth(rows))
            pair = replace(pair, weights=weights)
        else:
            scores = plain(self.classes).scores(said)
        together.scores[rows] = scores
        tried = together.on(rows)
        report = f"{BOTH} ({tried.accuracy:.2f} right in trials while training)"
        return Chosen(self.put_together(pair), tried.temperature, report)

    def _worth(self, rows: Rows) -> NDArray[np.float64] | None:
        """Return how much each cell counts where all classes are to count alike."""
        if not self.recipe.class_weights:
            return None
        counts = np.bincount(self.labels[rows], minlength=self.classes)
        worth: NDArray[np.float64] = (rows.sum() / np.count_nonzero(counts) / np.maximum(counts, 1))[self.labels[rows]]
        return worth

    def put_together(self, pair: Pair) -> PairHead:
        """Train both on all cells."""
        given = self.features, self.labels, self.classes, self.recipe
        linear = linear_heads(*given, (pair.shrinkage,))[pair.shrinkage]
        return PairHead(linear, kernel_heads(*given, (pair.sharpness,))[pair.sharpness], pair)

    def trees(self, fold: Labels) -> Generator[BatchDone, None, Chosen | None]:
        """Grow trees on all cells, and others on folds, which tell how sure they may be; None after a stop."""
        held = [fold == number for number in _enough(fold)] if fold.any() else []
        parts = [*(~one for one in held), np.ones(len(self.labels), dtype=bool)]
        grown = yield from self.grown(parts, "training boosted trees")
        if grown is None:
            return None
        trial = self._trial(held, grown[:-1])
        if not trial.rows.any():
            return Chosen(grown[-1], 1.0, "boosted trees, with too few cells to try them")
        tried = trial.on(trial.rows)
        # Where all few cells are right, nothing says how sure to be.
        temperature = tried.temperature if tried.accuracy < 1 else max(1.0, tried.temperature)
        counted = f"{int(trial.rows.sum()):,} cells while training"
        return Chosen(grown[-1], temperature, f"boosted trees ({tried.accuracy:.2f} right, of {counted})")

    def grown(self, parts: list[Rows], what: str) -> Generator[BatchDone, None, list[BoostedHead] | None]:
        """Grow trees on parts of the cells; None after a stop."""
        given = self.features, self.labels, self.classes, self.recipe, self.should_stop
        return (yield from boosted_heads(parts, *given, what))

    def _trial(self, held: list[Rows], heads: list[BoostedHead]) -> Trial:
        """Return what heads say of the cells that each was not shown."""
        trial = Trial(self.labels, self.classes)
        for rows, head in zip(held, heads, strict=True):
            trial.add(rows, head.scores(self.features[rows]), np.unique(self.labels[~rows]))
        return trial

    def _untried(self, family: Family) -> Chosen:
        head = self._on_all(family, family.usual)
        _, temperature = best_temperature(head.scores(self.features), self.labels)
        return Chosen(head, max(1.0, temperature), f"{family.name}, as there are too few cells to compare others")

    def _on_all(self, family: Family, strength: Any) -> LinearHead | KernelHead:
        return self._trained(family, np.ones(len(self.labels), dtype=bool), (strength,))[strength]

    def _trained(self, family: Family, rows: Rows, strengths: tuple[Any, ...]) -> Mapping[Any, LinearHead | KernelHead]:
        return family.heads(self.features[rows], self.labels[rows], self.classes, self.recipe, strengths)


def _enough(fold: Labels) -> list[int]:
    """Return the first folds that hold enough cells to tell how sure a classifier may be."""
    sizes = np.cumsum(np.bincount(fold))
    return list(range(1 + min(int((sizes < ENOUGH_TRIED).sum()), len(sizes) - 1)))
