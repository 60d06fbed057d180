"""The recipe `quick`: per-cell features under a small classifier. Seconds, from two labelled cells a class upwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache, cell_keys
from napari_cellstage.core.features import feature_batches
from napari_cellstage.core.metrics import Scores, score
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.device import thread_count
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.heads import BoostedHead, Chosen, LinearHead, choose_head, probabilities
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe

ShouldStop = Callable[[], bool]
Masks = NDArray[np.bool_]
Values = NDArray[np.float32]


def never() -> bool:
    """Return False: nobody wants to stop."""
    return False


def fit_quick(
    data: TrainingSet, recipe: Recipe, should_stop: ShouldStop = never, cache: FeatureCache | None = None
) -> Generator[Note | BatchDone | EpochDone, None, TrainedModel]:
    """Measure the labelled cells, choose a classifier on the training part, score it on the held-out part.

    Parameters
    ----------
    data, recipe, should_stop
        As in `fit`.
    cache
        Where features measured before are found again.

    Raises
    ------
    TrainingStopped
        If it is stopped before there is any model.
    """
    start = time.perf_counter()
    held_out = data.held_out(recipe)
    normalisation = steady_normalisation(data.crops[~held_out], recipe)
    features = yield from measure(
        normalisation, data.crops, data.masks, thread_count(recipe.threads), should_stop, cache, "measuring cells"
    )
    if len(features) < len(data):
        raise TrainingStopped("Training was stopped before there was a first model. Nothing has changed; train again.")
    chosen = yield from choose_head(
        features[~held_out], data.labels[~held_out], data.groups[~held_out], len(data.classes), recipe, should_stop
    )
    yield Note(f"Quick model: {chosen.report}.")
    scores = _score(chosen, features[held_out], data, held_out)
    yield _epoch(chosen, features, data, held_out, scores, len(data) / (time.perf_counter() - start))
    return _model(data, recipe, normalisation, held_out, scores, chosen)


def predict_quick(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: Masks | None = None,
    should_stop: ShouldStop = never,
    cache: FeatureCache | None = None,
) -> Generator[BatchDone, None, Values]:
    """Predict raw crops with a quick model; see `predict`. Rows not reached before a stop are NaN."""
    if not model.card["uses_masks"]:
        masks = None
    found = np.full((len(crops), len(model.classes)), np.nan, dtype=np.float32)
    if len(crops):
        features = yield from measure(
            model.normalisation, crops, masks, thread_count(model.recipe.threads), should_stop, cache, "predicting"
        )
        if len(features):
            found[: len(features)] = probabilities(_head(model).scores(features), float(model.card["temperature"]))
    return found


def steady_normalisation(crops: NDArray[np.generic], recipe: Recipe) -> Normalisation:
    """Take the data set's intensity range, in coarse steps.

    One more labelled cell then hardly ever changes the range, so features measured before stay valid.
    """
    exact = Normalisation.of(crops, recipe.normalise)
    if exact.mode == "crop":
        return exact
    low, high = [], []
    for dark, bright in zip(exact.low, exact.high, strict=True):
        step = 2.0 ** np.floor(np.log2(max(bright - dark, 1e-12)) - 3)  # an 8th to a 16th of the range
        low.append(float(np.floor(dark / step) * step))
        high.append(float(np.ceil(bright / step) * step))
    return Normalisation("dataset", tuple(low), tuple(high))


def measure(
    normalisation: Normalisation,
    crops: NDArray[np.generic],
    masks: Masks | None,
    threads: int,
    should_stop: ShouldStop,
    cache: FeatureCache | None,
    what: str,
) -> Generator[BatchDone, None, Values]:
    """Return features ``(N, F)``, or fewer rows when stopped."""
    keys = cell_keys(crops, masks, normalisation) if cache else []
    known = cache.get(keys) if cache else {}
    todo = np.array([row for row in range(len(crops)) if not cache or keys[row] not in known], dtype=np.int64)
    done = len(crops) - len(todo)
    parts: list[Values] = []
    some = None if masks is None else masks[todo]
    batches = feature_batches(normalisation.apply(crops[todo]), some, threads)
    for batch in batches:
        parts.append(batch.values)
        done += len(batch.values)
        yield BatchDone(what, done, len(crops))
        if should_stop():
            batches.close()
            break
    fresh = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
    if cache:
        cache.put({keys[row]: values for row, values in zip(todo.tolist(), fresh, strict=False)})
    return _in_order(len(crops), todo, fresh, [known.get(key) for key in keys])


def _in_order(count: int, todo: NDArray[np.int64], fresh: Values, known: list[Values | None]) -> Values:
    """Put measured and known features into one table; it ends at the first cell that has none."""
    if not any(one is not None for one in known):
        return fresh
    rows: list[Values | None] = known
    for row, values in zip(todo.tolist(), fresh, strict=False):
        rows[row] = values
    whole = [one for one in rows if one is not None]
    first_missing = next((row for row in range(count) if rows[row] is None), count)
    return np.stack(whole[:first_missing]) if first_missing else np.zeros((0, 0), np.float32)


def _score(chosen: Chosen, features: Values, data: TrainingSet, held_out: NDArray[np.bool_]) -> Scores | None:
    if not held_out.any():
        return None
    return score(data.labels[held_out], chosen.head.scores(features).argmax(axis=1), data.classes.names)


def _epoch(
    chosen: Chosen,
    features: Values,
    data: TrainingSet,
    held_out: NDArray[np.bool_],
    scores: Scores | None,
    speed: float,
) -> EpochDone:
    chances = probabilities(chosen.head.scores(features), chosen.temperature)
    losses = -np.log(np.maximum(chances[np.arange(len(data)), data.labels], 1e-9))
    valid = float(losses[held_out].mean()) if scores else float("nan")
    accuracy = scores.accuracy if scores else float("nan")
    return EpochDone(1, 1, float(losses[~held_out].mean()), valid, accuracy, speed)


def _model(
    data: TrainingSet,
    recipe: Recipe,
    normalisation: Normalisation,
    held_out: NDArray[np.bool_],
    scores: Scores | None,
    chosen: Chosen,
) -> TrainedModel:
    head = chosen.head
    return TrainedModel.of(
        data,
        recipe,
        normalisation,
        held_out,
        scores,
        arrays=dict(head.arrays()) if isinstance(head, LinearHead) else None,
        booster=head.model if isinstance(head, BoostedHead) else None,
        started_from="features",
        classifier=chosen.report,
        temperature=chosen.temperature,
        uses_masks=data.masks is not None,
        feature_count=head.width if isinstance(head, BoostedHead) else len(head.mean),
    )


def _head(model: TrainedModel) -> LinearHead | BoostedHead:
    if model.booster is not None:
        return BoostedHead(model.booster, int(model.card["feature_count"]))
    try:
        return LinearHead(**{name: model.arrays[name] for name in ("mean", "scale", "weights", "bias")})
    except KeyError as e:
        raise ModelError(f"The model's file lacks {e}. Copy the run folder again, or train a new model.") from e
