"""The two small classifiers on top of per-cell features, and the choice between them by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.device import thread_count
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
ShouldStop = Callable[[], bool]

FOLDS = 4
SHRINKAGES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 0.9)
DEFAULT_SHRINKAGE = 0.6  # where there are too few cells to choose one
FURTHEST = 4.0  # features are cut off at this many standard deviations
NEVER = -1e6  # score of a class without cells
# Cells a class on average, below which boosted trees are not tried: trial on so few is chance, most of all where the
# labelled cells were chosen for being doubtful. On mitocheck, 10 cost up to 0.07 of accuracy in the midst of labelling.
FEWEST_FOR_TREES = 30
TREES: dict[str, Any] = {
    "objective": "multi:softprob",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.15,
    "subsample": 0.7,
    "colsample_bytree": 0.1,
    "max_bin": 32,
}
ROUNDS = 60
CELLS_A_THREAD = 5000
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
        _check_width(features, len(self.mean))
        return _standard(features, self.mean, self.scale).astype(np.float64) @ self.weights + self.bias

    def arrays(self) -> dict[str, Values]:
        """Return the four arrays by name."""
        return {"mean": self.mean, "scale": self.scale, "weights": self.weights, "bias": self.bias}


@dataclass(frozen=True)
class BoostedHead:
    """Boosted trees.

    Parameters
    ----------
    model
        XGBoost's own UBJSON.
    width
        Number of features.
    """

    model: bytes
    width: int

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores."""
        import xgboost

        _check_width(features, self.width)
        try:
            booster = xgboost.Booster(model_file=bytearray(self.model))
            margins = booster.predict(xgboost.DMatrix(features), output_margin=True)
        except xgboost.core.XGBoostError as e:
            reason = str(e).splitlines()[-1]
            raise ModelError(f"The boosted trees of the model can't be read: {reason}. Train a new model.") from e
        return np.asarray(margins, dtype=np.float64)


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
    """

    trees: bool
    temperature: float
    labels: dict[str, int]
    reused: int


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
    if known is not None and known.trees:
        yield BatchDone("training boosted trees", 0, 1)
        head = boosted_head(features, labels, classes, recipe, should_stop)
        return Chosen(head, known.temperature, f"boosted trees, {AS_BEFORE}")
    fold = kfold(labels, groups, FOLDS, recipe.seed)
    trees = len(labels) >= FEWEST_FOR_TREES * classes and known is None
    trial = _Trial(labels, classes)
    folds = int(fold.max()) + 1
    for number in range(folds if folds > 1 else 0):
        if should_stop():
            break
        rest, held = fold != number, fold == number
        for strength, linear in linear_heads(features[rest], labels[rest], classes, recipe).items():
            trial.add(strength, held, linear.scores(features[held]), np.unique(labels[rest]))
        yield BatchDone("choosing a classifier", number + 1, folds)
    if folds > 1 and trees and not should_stop():
        for number, held, scores in _boosted_folds(features, labels, fold, classes, recipe, should_stop):
            trial.add("trees", held, scores, np.unique(labels[~held]))
            yield BatchDone("trying boosted trees", number, folds)
            if should_stop():
                break
    chosen = _train_best(trial, features, labels, classes, recipe, should_stop)
    return chosen if known is None else replace(chosen, report=f"{chosen.report}, {AS_BEFORE}")


def _boosted_folds(
    features: Values, labels: Labels, fold: Labels, classes: int, recipe: Recipe, should_stop: ShouldStop
) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield how many folds are done, the rows of one, and the scores of trees that did not see it.

    Each fold has a thread: that uses the cores better than several threads for the same trees.
    """

    def scored(number: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        held = fold == number
        head = boosted_head(features[~held], labels[~held], classes, recipe, should_stop)
        return held, head.scores(features[held])

    with ThreadPoolExecutor(thread_count(recipe.threads)) as pool:
        for done, (held, scores) in enumerate(pool.map(scored, range(int(fold.max()) + 1)), start=1):
            yield done, held, scores


class _Trial:
    """Scores of each candidate on the cells that it did not see."""

    def __init__(self, labels: Labels, classes: int) -> None:
        self._labels = labels
        self._shape = (len(labels), classes)
        self._scores: dict[float | str, NDArray[np.float64]] = {}

    def add(self, name: float | str, rows: NDArray[np.bool_], scores: NDArray[np.float64], seen: Labels) -> None:
        """Keep scores of some cells; those of a class that training lacked (not in `seen`) say nothing."""
        kept = self._scores.setdefault(name, np.full(self._shape, np.nan))
        fair = np.isin(self._labels[rows], seen)
        kept[rows] = np.where(fair[:, None], scores, np.nan)

    def results(self) -> dict[float | str, tuple[float, float, float]]:
        """Return log loss, temperature and accuracy of each candidate that was tried on all folds."""
        # After a stop, trees may have been tried on some folds only, which would compare unlike cells.
        most = max((int(np.isfinite(s[:, 0]).sum()) for s in self._scores.values()), default=0)
        found = {}
        for name, scores in self._scores.items():
            rows = np.isfinite(scores[:, 0])
            if most and int(rows.sum()) == most:
                loss, temperature = best_temperature(scores[rows], self._labels[rows])
                found[name] = loss, temperature, float((scores[rows].argmax(axis=1) == self._labels[rows]).mean())
        return found


def _train_best(
    trial: _Trial, features: Values, labels: Labels, classes: int, recipe: Recipe, should_stop: ShouldStop
) -> Chosen:
    results = trial.results()
    if not results:
        head = linear_heads(features, labels, classes, recipe, (DEFAULT_SHRINKAGE,))[DEFAULT_SHRINKAGE]
        _, temperature = best_temperature(head.scores(features), labels)
        return Chosen(head, max(1.0, temperature), "a linear classifier, as there are too few cells to compare others")
    name = min(results, key=lambda one: results[one][0])
    report = _report(results, name)
    if name == "trees" and not should_stop():
        trees = boosted_head(features, labels, classes, recipe, lambda: False)
        return Chosen(trees, results[name][1], report)
    strength = min((one for one in results if isinstance(one, float)), key=lambda one: results[one][0])
    head = linear_heads(features, labels, classes, recipe, (strength,))[strength]
    return Chosen(head, results[strength][1], report)


def _report(results: dict[float | str, tuple[float, float, float]], best: float | str) -> str:
    linear = max((results[one][2] for one in results if isinstance(one, float)), default=float("nan"))
    if "trees" not in results:
        return f"a linear classifier ({linear:.2f} right in trials while training)"
    trees = results["trees"][2]
    if best == "trees":
        return f"boosted trees ({trees:.2f} right in trials while training, a linear classifier {linear:.2f})"
    return f"a linear classifier ({results[best][2]:.2f} right in trials while training, boosted trees {trees:.2f})"


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


def boosted_head(
    features: Values, labels: Labels, classes: int, recipe: Recipe, should_stop: ShouldStop
) -> BoostedHead:
    """Train boosted trees; a stop keeps the trees there are."""
    import xgboost

    class Stop(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            return should_stop()

    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights = (len(labels) / classes / counts)[labels] if recipe.class_weights else None
    # Threads of few cells mostly wait for each other, and do so busily: beside other work that took 30 times as long.
    threads = min(thread_count(recipe.threads), 1 + len(labels) // CELLS_A_THREAD)
    settings = TREES | {"num_class": classes, "seed": recipe.seed, "nthread": threads}
    data = xgboost.DMatrix(features, labels, weight=weights, nthread=threads)
    booster = xgboost.train(settings, data, ROUNDS, callbacks=[Stop()], verbose_eval=False)
    return BoostedHead(bytes(booster.save_raw("ubj")), features.shape[1])


def _standard(features: Values, mean: Values, scale: Values) -> Values:
    values: Values = np.clip((features - mean) / scale, -FURTHEST, FURTHEST)
    return values


def _check_width(features: Values, width: int) -> None:
    if features.shape[1] != width:
        raise ModelError(
            f"The model was made for {width} features a cell, this version measures {features.shape[1]}. "
            "Train a new model."
        )
