"""The two small classifiers on top of per-cell features, and the choice between them by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.boosting import BoostedHead, boosted_heads
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.linear_head import SHRINKAGES, LinearHead, linear_heads
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.trial import Trial, Tried

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
ShouldStop = Callable[[], bool]
Rows = NDArray[np.bool_]

FOLDS = 4
DEFAULT_SHRINKAGE = 0.6  # where there are too few cells to choose one
# Cells a class on average, below which boosted trees are not tried: trial on so few is chance, most of all where the
# labelled cells were chosen for being doubtful. On mitocheck, 10 cost up to 0.07 of accuracy in the midst of labelling.
FEWEST_FOR_TREES = 30
# Trees are tried on folds until so many cells were tried: that tells the better of the two, and growing trees is
# nearly all of the time that a training takes.
ENOUGH_TRIED = 400
AS_BEFORE = "as before, since few labels have changed"
STOPPED = "a linear classifier, as the training was stopped before its trees had grown"


class Head(Protocol):
    """Scores classes from features."""

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores, whose softmax over `temperature` is the probability."""
        ...


@dataclass(frozen=True)
class Chosen:
    """The head that did best, and how its scores become probabilities.

    Parameters
    ----------
    head
        Trained on all the cells given.
    temperature
        Scores are divided by it, so that the confidence is right on unseen cells (Guo et al. 2017).
    report
        In words: how the candidates did.
    """

    head: LinearHead | BoostedHead
    temperature: float
    report: str


@dataclass(frozen=True)
class KnownChoice:
    """What was chosen at an earlier training on nearly the same cells, so that it need not be looked for again.

    Parameters
    ----------
    trees
        Boosted trees; else a linear head, whose strength is chosen anew, as that takes no time.
    temperature
        That was found then.
    labels
        How many labelled cells each class had then.
    reused
        The how manyth training this is that takes it over.
    held_out
        ``(N,)``; the cells that measured the score then, and others of their groups. They measure it again: cells that
        had a say in the choice would flatter it. None where nothing was held out.
    """

    trees: bool
    temperature: float
    labels: dict[str, int]
    reused: int
    held_out: Rows | None = None

    def fits(self, recipe: Recipe) -> bool:
        """Return whether a recipe leaves this choice open, or names the same."""
        return recipe.classifier == "auto" or self.trees == (recipe.classifier == "trees")


def probabilities(scores: NDArray[np.float64], temperature: float) -> Values:
    """Return ``(N, K)`` float32 that sum to 1."""
    values: Values = softmax(scores / temperature, axis=1).astype(np.float32)
    return values


def choose_head(
    features: Values,
    labels: Labels,
    groups: NDArray[Any],
    classes: int,
    recipe: Recipe,
    should_stop: ShouldStop,
    known: KnownChoice | None = None,
) -> Generator[BatchDone, None, Chosen]:
    """Try linear heads of several strengths and boosted trees on held-back groups, then train the best on all cells.

    A recipe that names one of the two gets that, with strength and temperature from the same trials.

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
    if known is not None and known.trees:
        grown = yield from work.grown([np.ones(len(labels), dtype=bool)], "training boosted trees")
        if grown:
            return Chosen(grown[0], known.temperature, f"boosted trees, {AS_BEFORE}")
    fold = kfold(labels, groups, FOLDS, recipe.seed)
    if recipe.classifier == "trees":
        trees = yield from work.trees(fold)
        return trees or replace((yield from work.linear(fold)), report=STOPPED)
    linear = yield from work.linear(fold)
    if known is not None:
        return replace(linear, report=f"{linear.report}, {AS_BEFORE}")
    enough = fold.any() and len(labels) >= FEWEST_FOR_TREES * classes
    if recipe.classifier == "linear" or not enough or should_stop():
        return linear
    return (yield from work.better_than(linear, fold))


@dataclass
class _Choosing:
    """One choice between candidates; what it takes, and the trial of the best linear head."""

    features: Values
    labels: Labels
    classes: int
    recipe: Recipe
    should_stop: ShouldStop
    best: Trial | None = None

    def linear(self, fold: Labels) -> Generator[BatchDone, None, Chosen]:
        """Try linear heads on every fold, then train the best on all cells."""
        trials = {strength: Trial(self.labels, self.classes) for strength in SHRINKAGES}
        folds = int(fold.max()) + 1
        for number in range(folds if folds > 1 else 0):
            if self.should_stop():
                break
            rest, held = fold != number, fold == number
            heads = linear_heads(self.features[rest], self.labels[rest], self.classes, self.recipe)
            for strength, head in heads.items():
                trials[strength].add(held, head.scores(self.features[held]), np.unique(self.labels[rest]))
            yield BatchDone("choosing a classifier", number + 1, folds)
        if not trials[DEFAULT_SHRINKAGE].rows.any():
            return self._untried()
        results: dict[float, Tried] = {}
        for strength, trial in trials.items():
            results[strength] = trial.on(trial.rows)
            yield BatchDone("choosing a classifier", folds, folds)
            if self.should_stop():
                break
        strength = min(results, key=lambda one: results[one].loss)
        self.best = trials[strength]
        report = f"a linear classifier ({results[strength].accuracy:.2f} right in trials while training)"
        return Chosen(self._linear_head(strength), results[strength].temperature, report)

    def better_than(self, linear: Chosen, fold: Labels) -> Generator[BatchDone, None, Chosen]:
        """Try boosted trees; return the linear head, or trees of all cells where these did better on the same cells."""
        held = [fold == number for number in _enough(fold)]
        grown = yield from self.grown([~one for one in held], "trying boosted trees")
        if grown is None or self.best is None:
            return linear
        trial = self._trial(held, grown)
        both = trial.rows & self.best.rows
        if not both.any():
            return linear
        trees, plane = trial.on(both), self.best.on(both)
        counted = f"{int(both.sum()):,} cells while training"
        if trees.loss >= plane.loss:
            report = (
                f"a linear classifier ({plane.accuracy:.2f} right, boosted trees {trees.accuracy:.2f}, of {counted})"
            )
            return replace(linear, report=report)
        whole = yield from self.grown([np.ones(len(self.labels), dtype=bool)], "training boosted trees")
        if whole is None:
            return linear
        report = f"boosted trees ({trees.accuracy:.2f} right, a linear classifier {plane.accuracy:.2f}, of {counted})"
        return Chosen(whole[0], trees.temperature, report)

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

    def _untried(self) -> Chosen:
        head = self._linear_head(DEFAULT_SHRINKAGE)
        _, temperature = best_temperature(head.scores(self.features), self.labels)
        return Chosen(head, max(1.0, temperature), "a linear classifier, as there are too few cells to compare others")

    def _linear_head(self, strength: float) -> LinearHead:
        return linear_heads(self.features, self.labels, self.classes, self.recipe, (strength,))[strength]


def _enough(fold: Labels) -> list[int]:
    """Return the first folds that hold enough cells to tell which of two candidates is better."""
    sizes = np.cumsum(np.bincount(fold))
    return list(range(1 + min(int((sizes < ENOUGH_TRIED).sum()), len(sizes) - 1)))
