"""Boosted trees on top of per-cell features: grown in threads, so that progress is told and a stop is answered."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.device import thread_count
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Labels = NDArray[np.int64]
Rows = NDArray[Any]
AfterRound = Callable[[], bool]

TREES: dict[str, Any] = {
    "objective": "multi:softprob",
    "tree_method": "hist",
    "max_depth": 5,
    "subsample": 0.7,
    "colsample_bytree": 0.1,
    "max_bin": 32,
}
CELLS_A_THREAD = 5000
LOOK_EVERY = 0.1  # seconds


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

        check_width(features, self.width)
        try:
            booster = xgboost.Booster(model_file=bytearray(self.model))
            margins = booster.predict(xgboost.DMatrix(features), output_margin=True)
        except xgboost.core.XGBoostError as e:
            reason = str(e).splitlines()[-1]
            raise ModelError(f"The boosted trees of the model can't be read: {reason}. Train a new model.") from e
        return np.asarray(margins, dtype=np.float64)


def boosted_heads(
    parts: Sequence[Rows],
    features: Values,
    labels: Labels,
    classes: int,
    recipe: Recipe,
    should_stop: Callable[[], bool],
    what: str,
) -> Generator[BatchDone, None, list[BoostedHead] | None]:
    """Grow trees on several parts of the cells, each in a thread; None after a stop.

    That uses the cores better than several threads for the same trees.

    Parameters
    ----------
    parts
        Rows of the cells, by mask or place, that each head learns from.
    features, labels, classes, recipe, should_stop
        As in `choose_head`.
    what
        The work in words.
    """
    rounds, given_up = [0] * len(parts), Event()

    def grown(number: int) -> BoostedHead:
        def after_round() -> bool:
            rounds[number] += 1
            return given_up.is_set() or should_stop()

        rows = parts[number]
        return boosted_head(features[rows], labels[rows], classes, recipe, after_round)

    pool = ThreadPoolExecutor(thread_count(recipe.threads))
    try:
        work = [pool.submit(grown, number) for number in range(len(parts))]
        while wait(work, LOOK_EVERY).not_done:
            yield BatchDone(what, sum(rounds), recipe.trees * len(parts))
            if should_stop():
                return None
        return None if should_stop() else [one.result() for one in work]
    finally:
        given_up.set()  # a round of many classes takes seconds; nobody waits for its end
        pool.shutdown(wait=False, cancel_futures=True)


def boosted_head(
    features: Values, labels: Labels, classes: int, recipe: Recipe, after_round: AfterRound = lambda: False
) -> BoostedHead:
    """Grow trees; `after_round` is called when each class has one more, and ends the work once it returns True."""
    import xgboost

    class AfterEach(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            return after_round()

    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights = (len(labels) / classes / counts)[labels] if recipe.class_weights else None
    # Threads of few cells mostly wait for each other, and do so busily: beside other work that took 30 times as long.
    threads = min(thread_count(recipe.threads), 1 + len(labels) // CELLS_A_THREAD)
    settings = TREES | {"num_class": classes, "seed": recipe.seed, "nthread": threads, "eta": recipe.tree_rate}
    data = xgboost.DMatrix(features, labels, weight=weights, nthread=threads)
    booster = xgboost.train(settings, data, recipe.trees, callbacks=[AfterEach()], verbose_eval=False)
    return BoostedHead(bytes(booster.save_raw("ubj")), features.shape[1])


def check_width(features: Values, width: int) -> None:
    """Refuse features that are not those a head was made for.

    Raises
    ------
    ModelError
        If there are more or fewer.
    """
    if features.shape[1] != width:
        raise ModelError(
            f"The model was made for {width} features a cell, this version measures {features.shape[1]}. "
            "Train a new model."
        )
