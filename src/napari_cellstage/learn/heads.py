"""The two small classifiers on top of per-cell features, and the choice between them by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.boosting import BoostedHead, boosted_heads, check_width
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
ShouldStop = Callable[[], bool]
Rows = NDArray[np.bool_]

FOLDS = 4
SHRINKAGES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 0.9)
DEFAULT_SHRINKAGE = 0.6  # where there are too few cells to choose one
FURTHEST = 4.0  # features are cut off at this many standard deviations
NEVER = -1e6  # score of a class without cells
# Cells a class on average, below which boosted trees are not tried: trial on so few is chance, most of all where the
# labelled cells were chosen for being doubtful. On mitocheck, 10 cost up to 0.07 of accuracy in the midst of labelling.
FEWEST_FOR_TREES = 30
# Trees are tried on folds until so many cells were tried: that tells the better of the two, and growing trees is
# nearly all of the time that a training takes.
ENOUGH_TRIED = 400
AS_BEFORE = "as before, since few labels have changed"


class Head(Protocol):
    """Scores classes from features."""

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores, whose softmax over `temperature` is the probability."""
        ...


@dataclass(frozen=True)
class LinearHead:
    """Linear discriminant analysis with a shrunk covariance.

    Parameters
    ----------
    mean, scale
        ``(F,)``; features are brought to mean 0 and spread 1 first.
    weights, bias
        ``(F, K)`` and ``(K,)``.
    """

    mean: Values
    scale: Values
    weights: Values
    bias: Values

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores."""
        check_width(features, len(self.mean))
        return _standard(features, self.mean, self.scale).astype(np.float64) @ self.weights + self.bias

    def arrays(self) -> dict[str, Values]:
        """Return the four arrays by name."""
        return {"mean": self.mean, "scale": self.scale, "weights": self.weights, "bias": self.bias}


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
        Its `class_weights`, `seed` and `threads`.
    should_stop
        Once True, the best so far is taken.
    known
        What was chosen before; None to try everything.
    """
    work = _Choosing(features, labels, classes, recipe, should_stop)
    if known is not None and known.trees:
        grown = yield from work.grown([np.ones(len(labels), dtype=bool)], "training boosted trees")
        if grown:
            return Chosen(grown[0], known.temperature, f"boosted trees, {AS_BEFORE}")
    fold = kfold(labels, groups, FOLDS, recipe.seed)
    linear = yield from work.linear(fold)
    if known is not None:
        return replace(linear, report=f"{linear.report}, {AS_BEFORE}")
    if not fold.any() or len(labels) < FEWEST_FOR_TREES * classes or should_stop():
        return linear
    return (yield from work.better_than(linear, fold))


@dataclass(frozen=True)
class _Tried:
    """How a candidate did on cells that it had not seen."""

    loss: float
    temperature: float
    accuracy: float


class _Trial:
    """Scores of one candidate on the cells that it did not see."""

    def __init__(self, labels: Labels, classes: int) -> None:
        self._labels = labels
        self._scores = np.full((len(labels), classes), np.nan)

    def add(self, rows: Rows, scores: NDArray[np.float64], seen: Labels) -> None:
        """Keep scores of some cells; those of a class that training lacked (not in `seen`) say nothing."""
        fair = np.isin(self._labels[rows], seen)
        self._scores[rows] = np.where(fair[:, None], scores, np.nan)

    @property
    def rows(self) -> Rows:
        """The cells that it was tried on, ``(N,)``."""
        tried: Rows = np.isfinite(self._scores[:, 0])
        return tried

    def on(self, rows: Rows) -> _Tried:
        """Return how it did on some of its cells."""
        scores, truth = self._scores[rows], self._labels[rows]
        return _Tried(*best_temperature(scores, truth), float((scores.argmax(axis=1) == truth).mean()))


@dataclass
class _Choosing:
    """One choice between candidates; what it takes, and the trial of the best linear head."""

    features: Values
    labels: Labels
    classes: int
    recipe: Recipe
    should_stop: ShouldStop
    best: _Trial | None = None

    def linear(self, fold: Labels) -> Generator[BatchDone, None, Chosen]:
        """Try linear heads on every fold, then train the best on all cells."""
        trials = {strength: _Trial(self.labels, self.classes) for strength in SHRINKAGES}
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
        results: dict[float, _Tried] = {}
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
        trial = _Trial(self.labels, self.classes)
        for rows, head in zip(held, grown, strict=True):
            trial.add(rows, head.scores(self.features[rows]), np.unique(self.labels[~rows]))
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

    def grown(self, parts: list[Rows], what: str) -> Generator[BatchDone, None, list[BoostedHead] | None]:
        """Grow trees on parts of the cells; None after a stop."""
        given = self.features, self.labels, self.classes, self.recipe, self.should_stop
        return (yield from boosted_heads(parts, *given, what))

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


def linear_heads(
    features: Values, labels: Labels, classes: int, recipe: Recipe, shrinkages: tuple[float, ...] = SHRINKAGES
) -> dict[float, LinearHead]:
    """Train linear discriminants with several shrinkages of the covariance at once (Friedman 1989).

    One eigendecomposition serves all of them, which is why scikit-learn's, that begins anew for each, is not used.
    """
    mean = features.mean(axis=0)
    spread = features.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1).astype(np.float32)
    values = _standard(features, mean, scale).astype(np.float64)
    counts = np.bincount(labels, minlength=classes)
    centres = np.stack([values[labels == k].mean(axis=0) if counts[k] else mean * 0.0 for k in range(classes)])
    offsets = values - centres[labels]
    freedom = max(1, len(labels) - int(np.count_nonzero(counts)))
    with threadpool_limits(1):  # the second thread gains little, and spins for seconds when there is other work
        variances, axes = _principal_axes(offsets / np.sqrt(freedom))
        turned = axes.T @ centres.T
    chance = np.ones(classes) if recipe.class_weights else counts / len(labels)
    prior = np.where(counts, np.log(np.maximum(chance, 1e-9)), NEVER)
    average = max(float(variances.sum()) / features.shape[1], 1e-9)
    heads = {}
    for shrinkage in shrinkages:
        # Off the axes there is no variance but what shrinkage adds; along them, both.
        off_axes = shrinkage * average
        along = 1 / ((1 - shrinkage) * variances + off_axes) - 1 / off_axes
        weights = centres.T / off_axes + axes @ (along[:, None] * turned)
        bias = np.where(counts, prior - (centres.T * weights).sum(axis=0) / 2, NEVER)
        heads[shrinkage] = LinearHead(mean, scale, weights.astype(np.float32), bias.astype(np.float32))
    return heads


def _principal_axes(offsets: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances ``(R,)`` and axes ``(F, R)`` of ``(N, F)`` offsets, from the smaller of the two products.

    Few cells have many features: a matrix of cells by cells then takes a thousandth of the time.
    """
    cells, features = offsets.shape
    if cells >= features:
        variances, axes = np.linalg.eigh(offsets.T @ offsets)
        return np.maximum(variances, 0), axes
    variances, sides = np.linalg.eigh(offsets @ offsets.T)
    kept = variances > variances[-1] * 1e-10
    return variances[kept], offsets.T @ (sides[:, kept] / np.sqrt(variances[kept]))


def _standard(features: Values, mean: Values, scale: Values) -> Values:
    values: Values = np.clip((features - mean) / scale, -FURTHEST, FURTHEST)
    return values
