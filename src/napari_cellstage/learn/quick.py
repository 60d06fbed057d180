"""The recipe `quick`: per-cell features under a small classifier. Seconds, from two labelled cells a class upwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.scoring.scores import Scores, score
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.heads import BoostedHead, Chosen, LinearHead, choose_head, probabilities
from napari_cellstage.learn.measure import Measure, pretrained_at_hand, steady_normalisation
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe

if TYPE_CHECKING:
    from napari_cellstage.learn.frozen import FrozenNetwork

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
    frozen = yield from _frozen(recipe, data.crops.shape[1])
    measure = Measure(normalisation, recipe, frozen, cache)
    features = yield from measure.features(data.crops, data.masks, should_stop, "measuring cells")
    if len(features) < len(data):
        raise TrainingStopped("Training was stopped before there was a first model. Nothing has changed; train again.")
    chosen = yield from choose_head(
        features[~held_out], data.labels[~held_out], data.groups[~held_out], len(data.classes), recipe, should_stop
    )
    yield Note(f"Quick model: {chosen.report}.")
    scores = _score(chosen, features[held_out], data, held_out)
    yield _epoch(chosen, features, data, held_out, scores, len(data) / (time.perf_counter() - start))
    return _model(data, measure, held_out, scores, chosen)


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
        measure = Measure(model.normalisation, model.recipe, _frozen_of(model), cache)
        features = yield from measure.features(crops, masks, should_stop, "predicting")
        if len(features):
            found[: len(features)] = probabilities(_head(model).scores(features), float(model.card["temperature"]))
    return found


def _frozen(recipe: Recipe, channels: int) -> Generator[Note, None, FrozenNetwork | None]:
    """Return the pretrained network to put beside the classical features, where there is one."""
    if not pretrained_at_hand(recipe):
        return None
    from napari_cellstage.learn.frozen import frozen_network

    found = frozen_network(recipe, channels)
    if found:
        yield Note(f"Features of a frozen {found.name} ({found.source}) stand beside the classical ones.")
    return found


def _frozen_of(model: TrainedModel) -> FrozenNetwork | None:
    name = model.card.get("frozen_network")
    if not name:
        return None
    from napari_cellstage.learn.frozen import FrozenNetwork

    return FrozenNetwork.from_arrays(model.arrays, name, "", model.input_count)


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
    data: TrainingSet, measure: Measure, held_out: NDArray[np.bool_], scores: Scores | None, chosen: Chosen
) -> TrainedModel:
    head, frozen = chosen.head, measure.frozen
    arrays: dict[str, NDArray[Any]] = dict(head.arrays()) if isinstance(head, LinearHead) else {}
    return TrainedModel.of(
        data,
        measure.recipe,
        measure.normalisation,
        held_out,
        scores,
        arrays=arrays | (frozen.arrays() if frozen else {}),
        booster=head.model if isinstance(head, BoostedHead) else None,
        started_from=f"classical features and frozen {frozen.name} ({frozen.source})"
        if frozen
        else "classical features",
        frozen_network=frozen.name if frozen else None,
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
