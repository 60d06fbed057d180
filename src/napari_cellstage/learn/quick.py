"""The recipe `quick`: per-cell features under a small classifier. Seconds, from two labelled cells a class upwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.review.space import Space
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.boosting import BoostedHead
from napari_cellstage.learn.chosen import Chosen, KnownChoice, probabilities
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.heads import choose_head
from napari_cellstage.learn.held_out import scored, unseen_of
from napari_cellstage.learn.kernel_head import KernelHead
from napari_cellstage.learn.linear_head import LinearHead
from napari_cellstage.learn.measure import KnownFeatures, Measure, pretrained_at_hand, steady_normalisation
from napari_cellstage.learn.model import TrainedModel, label_counts
from napari_cellstage.learn.pair_head import Pair, PairHead
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.verdicts import Verdicts, placed

if TYPE_CHECKING:
    from napari_cellstage.learn.frozen import FrozenNetwork

ShouldStop = Callable[[], bool]
Masks = NDArray[np.bool_]
Values = NDArray[np.float32]


def never() -> bool:
    """Return False: nobody wants to stop."""
    return False


def fit_quick(
    data: TrainingSet,
    recipe: Recipe,
    should_stop: ShouldStop = never,
    cache: KnownFeatures | None = None,
    *,
    held_out: Masks | None = None,
    known: KnownChoice | None = None,
) -> Generator[Note | BatchDone | EpochDone, None, TrainedModel]:
    """Measure the labelled cells, choose a classifier on the training part, score it on the held-out part.

    Parameters
    ----------
    data, recipe, should_stop, cache, held_out, known
        As in `fit`.

    Raises
    ------
    TrainingStopped
        If it is stopped before there is any model.
    """
    start = time.perf_counter()
    if held_out is None:
        held_out = data.held_out(recipe) if known is None or known.held_out is None else known.held_out
    normalisation = steady_normalisation(data.crops[~held_out], recipe)
    frozen = yield from _frozen(recipe, data.crops.shape[1])
    measure = Measure(normalisation, recipe, frozen, cache)
    features = yield from measure.features(data.crops, data.masks, should_stop, "measuring cells")
    if len(features) < len(data):
        raise TrainingStopped("Training was stopped before there was a first model. Nothing has changed; train again.")
    train = ~held_out
    chosen = yield from choose_head(
        features[train], data.labels[train], data.groups[train], len(data.classes), recipe, should_stop, known
    )
    yield Note(f"Quick model: {chosen.report}.")
    with threadpool_limits(1):  # more threads gain little, and spin for seconds when there is other work
        space = Space.fit(features[train], data.groups[train], recipe.seed, labels=data.labels[train])
        unseen = _unseen(chosen, space, features, data, held_out)
    scores = scored(unseen)
    yield _epoch(chosen, features, data, held_out, scores, len(data) / (time.perf_counter() - start))
    return _model(data, measure, held_out, unseen, scores, chosen, space, known)


def judge_quick(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: Masks | None = None,
    should_stop: ShouldStop = never,
    cache: KnownFeatures | None = None,
) -> Generator[BatchDone, None, Verdicts]:
    """Say what a quick model makes of raw crops; see `judge`. Rows not reached before a stop are NaN."""
    features = np.zeros((0, 0), np.float32)
    if len(crops):
        masks = masks if model.card["uses_masks"] else None
        features = yield from measure_of(model, cache).features(crops, masks, should_stop, "predicting")
    return judged(model, features, len(crops))


def measure_of(model: TrainedModel, cache: KnownFeatures | None = None) -> Measure:
    """Return how a quick model measures cells."""
    return Measure(model.normalisation, model.recipe, _frozen_of(model), cache)


def judged(model: TrainedModel, features: Values, count: int) -> Verdicts:
    """Say what a quick model makes of the features ``(n, F)`` of the first `n` of so many cells."""
    found = np.full((count, len(model.classes)), np.nan, dtype=np.float32)
    if not len(features):
        return Verdicts(found)
    found[: len(features)] = probabilities(_head(model).scores(features), float(model.card["temperature"]))
    return Verdicts.made(found, features, model.space)


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


def _unseen(chosen: Chosen, space: Space, features: Values, data: TrainingSet, held_out: Masks) -> Unseen | None:
    """Return what the model says of its held-out cells, as confident as it will be of new ones.

    The temperature is from folds of the training cells, so no held-out cell has a say in it.
    """
    if not held_out.any():
        return None
    seen = features[held_out]
    scores = chosen.head.scores(seen)
    embedding, unlike = placed(space, seen)
    return unseen_of(
        data,
        held_out,
        probabilities(scores, 1.0),
        probabilities(scores, chosen.temperature),
        embedding=embedding,
        unlike=unlike,
    )


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
    measure: Measure,
    held_out: Masks,
    unseen: Unseen | None,
    scores: Scores | None,
    chosen: Chosen,
    space: Space,
    known: KnownChoice | None,
) -> TrainedModel:
    head, frozen = chosen.head, measure.frozen
    arrays: dict[str, NDArray[Any]] = {} if isinstance(head, BoostedHead) else dict(head.arrays())
    arrays |= space.arrays()
    return TrainedModel.of(
        data,
        measure.recipe,
        measure.normalisation,
        held_out,
        scores,
        arrays=arrays | (frozen.arrays() if frozen else {}),
        booster=head.model if isinstance(head, BoostedHead) else None,
        unseen=unseen,
        started_from=f"classical features and frozen {frozen.name} ({frozen.source})"
        if frozen
        else "classical features",
        frozen_network=frozen.name if frozen else None,
        classifier=chosen.report,
        temperature=chosen.temperature,
        choice=chosen.to_dict()
        | {
            "labels": known.labels if known else label_counts(data),
            "reused": known.reused if known else 0,
        },
        uses_masks=data.masks is not None,
        feature_count=head.width if isinstance(head, BoostedHead) else len(head.mean),
    )


def _head(model: TrainedModel) -> LinearHead | KernelHead | PairHead | BoostedHead:
    if model.booster is not None:
        return BoostedHead(model.booster, int(model.card["feature_count"]))
    try:
        if pair := (model.card.get("choice") or {}).get("pair"):
            return PairHead.from_arrays(model.arrays, Pair.from_dict(pair))
        kind = KernelHead if "cells" in model.arrays else LinearHead
        return kind(**{name: model.arrays[name] for name in kind.NAMES})
    except KeyError as e:
        raise ModelError(f"The model's file lacks {e}. Copy the run folder again, or train a new model.") from e
    except (TypeError, ValueError, AttributeError) as e:
        raise ModelError(f"The model's card is damaged: {e}. Copy the run folder again, or train a new model.") from e
