"""The check by task: nuclei and classes from predicted stains against those from true ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import from_array
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.stain.class_agreement import compare_classes
from napari_cellstage.stain.downstream import compare_found
from napari_cellstage.stain.evaluate import evaluate_stain
from napari_cellstage.stain.matched_cells import matches
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.predict import predict_stains
from napari_cellstage.stain.splits import Region

MakePairs = Callable[..., StainSet]
MakeModel = Callable[..., StainModel]
SETTINGS = SegmentSettings(min_diameter=2.0, background=0.0)


def run(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def seen(make_model: MakeModel, make_pairs: MakePairs) -> tuple[StainModel, StainSet]:
    """Return a model, and pairs whose true stain is exactly what it predicts."""
    model, data = make_model(), make_pairs(count=3, side=64)
    pairs = []
    for pair in data.pairs:
        made = run(predict_stains(model, pair.inputs)).mean
        light = np.asarray(pair.inputs.pixels[:, :1], np.float32)
        both = np.concatenate([light, made], axis=1)
        stack = from_array(both, "TCZYX", pair.name, channel_names=("bright field", "DNA"))
        pairs.append(replace(pair, inputs=stack, targets=stack))
    return model, replace(data, pairs=tuple(pairs))


def test_pairs_of_another_pixel_size_are_scored_as_they_are_predicted(
    make_model: MakeModel, make_pairs: MakePairs
) -> None:
    model = replace(make_model(), pixel_size_um=(1.0, 0.5, 0.5))
    pairs = []
    for pair in make_pairs(count=2, side=64).pairs:
        light = replace(pair.inputs, pixel_size_um=(1.0, 0.8, 0.8))
        made = run(predict_stains(model, light, inputs=[0])).mean
        both = np.concatenate([np.asarray(light.pixels[:, :1], np.float32), made], axis=1)
        stack = from_array(
            both, "TCZYX", pair.name, channel_names=("bright field", "DNA"), pixel_size_um=light.pixel_size_um
        )
        pairs.append(replace(pair, inputs=stack, targets=stack))
    data = replace(make_pairs(count=2, side=64), pairs=tuple(pairs))
    regions = (Region(0, 8, 0, 50, 64), Region(1, 0, 0, 64, 64))
    scores = run(evaluate_stain(model, data, regions))
    assert scores.stains[0].pearson > 0.9999
    assert "resampled for the model" in scores.notes[0]
    assert run(compare_found(model, data, "DNA", regions, SETTINGS)).f1 == 1
    assert run(evaluate_stain(replace(model, pixel_size_um=None), data, regions)).stains[0].pearson < 0.9999


def with_truth(data: StainSet, change: Callable[[Any], Any]) -> StainSet:
    pairs = []
    for pair in data.pairs:
        array = np.asarray(pair.targets.pixels[:]).copy()
        array[:, 1] = change(array[:, 1])
        pairs.append(
            replace(pair, targets=from_array(array, "TCZYX", pair.name, channel_names=("bright field", "DNA")))
        )
    return replace(data, pairs=tuple(pairs))


@given(st.integers(0, 500))
def test_matches_are_those_with_half_in_common(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = np.kron(rng.integers(0, 6, (1, 4, 4)), np.ones((1, 3, 3), int))
    second = np.where(rng.random(first.shape) < 0.8, first, rng.integers(0, 6, first.shape))
    found = {tuple(pair) for pair in matches(first, second).tolist()}
    for a in range(1, 6):
        for b in range(1, 6):
            one, other = first == a, second == b
            share = (one & other).sum() / max((one | other).sum(), 1)
            assert ((a, b) in found) == (share >= 0.5) or share == 0.5
    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)


def test_exactly_half_is_matched_once() -> None:
    first = np.array([[1, 1, 0]])
    second = np.array([[7, 8, 0]])
    assert len(matches(first, second)) == 1
    assert len(matches(first * 0, second)) == 0


def test_nuclei_of_a_perfect_prediction_are_all_found(seen: tuple[StainModel, StainSet]) -> None:
    scores = run(compare_found(*seen, "dna", settings=SETTINGS))
    true, predicted, matched = scores.counts
    assert true == predicted == matched > 3
    assert (scores.precision, scores.recall, scores.f1) == (1, 1, 1)
    told = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert told["f1_interval"] == [1, 1]
    assert told["cells_pearson"] == pytest.approx(1)
    assert told["images"][0]["image"] == "image 0"


def test_nuclei_elsewhere_are_not_the_same(seen: tuple[StainModel, StainSet]) -> None:
    model, data = seen
    rolled = with_truth(data, lambda stain: stain[..., ::-1, :])
    scores = run(compare_found(model, rolled, "DNA", settings=SETTINGS))
    assert scores.f1 < 0.9
    assert scores.f1_interval[0] <= scores.f1 <= scores.f1_interval[1]


def test_an_empty_image_is_said_and_counts(seen: tuple[StainModel, StainSet]) -> None:
    model, data = seen
    blank = with_truth(data, lambda stain: stain * 0 + 5)
    scores = run(compare_found(model, blank, "DNA", settings=SETTINGS))
    assert scores.counts[0] == scores.counts[2] == 0
    assert scores.f1 == 0
    assert np.isnan(scores.recall)
    assert "No nuclei were found in the true DNA of 'image 0'." in scores.notes
    json.dumps(scores.to_dict(), allow_nan=False)
    with pytest.raises(ModelError, match="'actin' is no stain"):
        run(compare_found(model, data, "actin"))


def test_a_stop_leaves_the_rest_out(seen: tuple[StainModel, StainSet]) -> None:
    scores = run(compare_found(*seen, "DNA", settings=SETTINGS, should_stop=lambda: True))
    assert scores.stopped
    assert scores.images == ()
    assert json.loads(json.dumps(scores.to_dict(), allow_nan=False))["f1"] is None


@pytest.fixture(scope="module")
def judge() -> TrainedModel:
    """Return a model that tells how wide a bright bar of DNA is."""
    rng, count, side = np.random.default_rng(0), 60, 16
    labels = np.arange(count) % 2
    crops = rng.integers(0, 40, (count, 1, side, side)).astype(np.float32)
    for row, label in enumerate(labels):
        crops[row, 0, 5:11, 4 : 7 + 6 * label] += 400
    names = tuple(f"{row}.tif" for row in range(count))
    made = CropSet(
        crops, None, labels.astype(np.int64), ("narrow", "wide"), names, np.array([str(n) for n in range(count)])
    )
    model = run(fit(TrainingSet.from_crops(made, Recipe()), Recipe.load("quick").but(threads=1)))
    return replace(model, card=model.card | {"channel_names": ["DNA"]})


def test_classes_of_a_perfect_prediction_agree(seen: tuple[StainModel, StainSet], judge: TrainedModel) -> None:
    model, data = seen
    scores = run(compare_classes(model, data, judge, settings=SETTINGS))
    assert scores.cells > 3
    assert scores.agreement == 1
    assert scores.agreement_interval[1] == 1
    assert np.sum(scores.matrix) == np.trace(scores.matrix) == scores.cells
    json.dumps(scores.to_dict(), allow_nan=False)


def test_classes_are_those_of_the_cells_that_were_given(seen: tuple[StainModel, StainSet], judge: TrainedModel) -> None:
    """Bars of two widths in the true stain: the model tells them; the predicted stain has none of them."""
    model, data = seen
    labels = np.zeros((64, 64), np.int32)
    for number, (y, x) in enumerate(((8, 8), (8, 40), (40, 8), (40, 40))):
        labels[y : y + 16, x : x + 16] = number + 1

    def bars(stain: Any) -> Any:
        stain = np.random.default_rng(0).integers(0, 40, stain.shape).astype(np.float32)
        for number, (y, x) in enumerate(((8, 8), (8, 40), (40, 8), (40, 40))):
            stain[..., y + 5 : y + 11, x + 4 : x + 7 + 6 * (number % 2)] += 400
        return stain

    scores = run(compare_classes(model, with_truth(data, bars), judge, labels=[labels] * 3))
    assert scores.cells == 12
    assert np.sum(scores.matrix, axis=1).tolist() == [6, 6]  # from the true stain
    assert scores.agreement < 1
    assert -1 <= scores.kappa < 1 or np.isnan(scores.kappa)


def test_a_model_of_other_channels_is_refused(seen: tuple[StainModel, StainSet], judge: TrainedModel) -> None:
    model, data = seen
    with pytest.raises(ModelError, match="looks at tubulin"):
        run(compare_classes(model, data, replace(judge, card=judge.card | {"channel_names": ["tubulin"]})))
    both = replace(judge, card=judge.card | {"channel_names": ["DNA (predicted)", "tubulin"]})
    with pytest.raises(ModelError, match="looks at 'tubulin'"):
        run(compare_classes(model, data, both, settings=SETTINGS))


def test_no_cells_is_said(seen: tuple[StainModel, StainSet], judge: TrainedModel) -> None:
    model, data = seen
    none = [np.zeros((64, 64), np.int32)] * 3
    scores = run(compare_classes(model, data, judge, labels=none))
    assert scores.cells == 0
    assert "no cells to judge" in scores.notes[-1]
    assert scores.to_dict()["kappa"] is None
