"""Figures of predicted stains: against numpy and scikit-image, with holes, flat images, one image only."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from napari_cellstage.core.errors import ModelError, TrainingError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.baseline import best_planes
from napari_cellstage.stain.card import split_values
from napari_cellstage.stain.evaluate import evaluate_stain
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.predict import predict_stains
from napari_cellstage.stain.scorer import Scorer, Shown, block_interval, similarity
from napari_cellstage.stain.splits import Region, StainSplit, whole
from napari_cellstage.stain.tallies import WidthTally, block_moments, cell_correlations, correlation, moments

MakePairs = Callable[..., StainSet]
MakeModel = Callable[..., StainModel]


def run(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@given(st.integers(0, 1000), st.floats(0, 1), st.floats(-1e4, 1e4))
def test_r_is_that_of_numpy_wherever_zero_is(seed: int, noise: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(2, 20, 10)) + offset
    predicted = truth + noise * rng.normal(size=truth.shape)
    truth[0, 3, 4], predicted[1, 2, 2] = np.nan, np.inf
    there = np.isfinite(truth) & np.isfinite(predicted)
    wanted = np.corrcoef(truth[there], predicted[there])[0, 1]
    assert correlation(moments(truth, predicted)) == pytest.approx(wanted, abs=1e-6)
    blocks = block_moments(truth, predicted, 7).sum(axis=0)
    np.testing.assert_allclose(blocks, moments(truth, predicted), rtol=1e-9)


def test_flat_images_have_no_r() -> None:
    ramp = np.arange(100.0).reshape(1, 10, 10)
    for value in (0.0, 0.1, 3e4):
        assert np.isnan(correlation(moments(ramp, np.full_like(ramp, value))))
    assert np.isnan(correlation(moments(ramp, np.full_like(ramp, np.nan))))


def test_each_cell_has_its_own_r() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((1, 20, 20), np.int32)
    labels[0, :8, :8], labels[0, 10:, 10:], labels[0, 0, 19] = 7, 3, 9
    truth = rng.random((1, 20, 20))
    predicted = truth.copy()
    predicted[labels == 3] = rng.random(100)
    found = cell_correlations(truth, predicted, labels)
    wanted = np.corrcoef(truth[labels == 3], predicted[labels == 3])[0, 1]
    np.testing.assert_allclose(sorted(found), sorted([1.0, wanted]), atol=1e-9)


def test_similarity_is_that_of_scikit_image() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.random((2, 2, 30, 40)).astype(np.float32)
    each = [structural_similarity(a, b, data_range=1.0) for a, b in zip(truth, predicted, strict=True)]
    assert similarity(truth, predicted) == pytest.approx(np.mean(each), abs=1e-6)
    truth[0, 5, 5] = np.nan
    assert np.isfinite(similarity(truth, predicted))
    assert np.isnan(similarity(truth[:, :2], predicted[:, :2]))


def test_widths_that_know_the_error_find_the_worst_tenth() -> None:
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.01, 1, 200_000)
    error = rng.normal(size=spread.shape) * spread
    told, blind = WidthTally(), WidthTally()
    truth = np.zeros_like(spread)
    for part in np.array_split(np.arange(len(spread)), 7):
        told.add(truth[part], error[part], 2.563 * spread[part])
        blind.add(truth[part], error[part], np.full(len(part), 0.5))
    worst = spread >= np.quantile(spread, 0.9)
    assert told.worst_share() == pytest.approx((error[worst] ** 2).sum() / (error**2).sum(), abs=0.01)
    assert blind.worst_share() == pytest.approx(0.1, abs=0.01)
    assert told.coverage == pytest.approx(0.8, abs=0.01)
    curve = np.array(told.curve())
    assert (np.diff(curve, axis=0) > 0).all()
    np.testing.assert_allclose(curve[:, 1] * 2.563, curve[:, 0], rtol=0.2)  # root mean square against mean
    assert np.isnan(WidthTally().worst_share())
    assert WidthTally().curve() == ()


def test_the_interval_of_one_image_is_drawn_over_its_blocks() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((1, 96, 96))
    predicted = truth + 0.3 * rng.random(truth.shape)
    blocks = block_moments(truth, predicted, 16)
    low, high = block_interval(blocks, 0)
    assert low < correlation(blocks.sum(axis=0)) < high
    assert high - low < 0.1
    assert (low, high) == block_interval(blocks, 0)
    assert np.isnan(block_interval(blocks[:1], 0)).all()


def test_sums_are_in_the_stains_own_units() -> None:
    scorer = Scorer("DNA", (100.0, 300.0))
    rng = np.random.default_rng(0)
    for number in range(4):
        truth = rng.random((1, 12, 12)).astype(np.float32) * (number + 1)
        truth[0, 0, 0] = np.nan
        scorer.add(Shown(str(number), "a", 0), truth, truth + 0.1, np.ones_like(truth))
    one = scorer.score("", 0)
    known = truth[np.isfinite(truth)]
    assert one.images[-1].true_sum == pytest.approx((known * 200 + 100).sum(), rel=1e-5)
    assert one.images[-1].predicted_sum == pytest.approx(((known + 0.1) * 200 + 100).sum(), rel=1e-5)
    assert one.content_r == pytest.approx(1)
    assert one.pearson == pytest.approx(1)


def test_scores_of_a_model(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, data = make_model(stains=2, views=2), make_pairs(count=5, side=40, stains=2, seed=50)
    scores = run(evaluate_stain(model, data))
    assert [one.name for one in scores.stains] == ["DNA", "actin"]
    assert scores.n_images == 5
    for place, (pair, image) in enumerate(zip(data.pairs, scores.stains[1].images, strict=True)):
        predicted = run(predict_stains(model, pair.inputs)).mean[0, 1]
        truth = pair.read_target()[1]
        assert image.pearson == pytest.approx(np.corrcoef(truth.ravel(), predicted.ravel())[0, 1], abs=1e-4), place
        assert image.predicted_sum == pytest.approx(predicted.sum(), rel=1e-4)
    dna = scores.stains[0]
    assert dna.pearson == pytest.approx(np.mean([one.pearson for one in dna.images]))
    assert dna.pearson_interval[0] <= dna.pearson <= dna.pearson_interval[1]
    assert np.isfinite([dna.ssim, dna.content_r, dna.residual_pearson, dna.worst_tenth, dna.coverage]).all()
    assert np.isnan([dna.baseline, dna.cells_pearson]).all()
    told = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert told["stains"]["DNA"]["baseline"] is None
    assert told["stains"]["DNA"]["images"][0]["name"] == "image 50"
    assert told["pearson"] == pytest.approx(np.mean([one.pearson for one in scores.stains]))


def test_regions_see_what_lies_around_them_and_are_named(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, data = make_model(), make_pairs(count=1, side=64)
    regions = [Region(0, 0, 0, 64, 20), Region(0, 0, 30, 64, 64)]
    scores = run(evaluate_stain(model, data, regions, train=[Region(0, 0, 0, 64, 30)]))
    first = scores.stains[0].images
    assert [one.name for one in first] == ["image 0 [0:64, 0:20]", "image 0 [0:64, 30:64]"]
    assert np.isfinite(scores.stains[0].baseline)
    assert "bright field" in scores.stains[0].baseline_text


def test_cells_of_an_image(make_model: MakeModel, make_pairs: MakePairs) -> None:
    data = make_pairs(count=2, side=40)
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:15], labels[20:30, 20:35] = 1, 2
    scores = run(evaluate_stain(make_model(), data, labels=[labels, None]))
    assert np.isfinite(scores.stains[0].images[0].cells_pearson)
    assert np.isnan(scores.stains[0].images[1].cells_pearson)
    assert np.isfinite(scores.stains[0].cells_pearson)


def test_a_flat_stain_says_why_there_is_no_r(make_model: MakeModel, make_pairs: MakePairs, make_stack: Any) -> None:
    data = make_pairs(count=3, side=40)
    array = np.asarray(data.pairs[0].inputs.pixels[:]).copy()
    array[:, 1] = 77
    blank = from_array(array, "TCZYX", "blank", channel_names=("bright field", "DNA"))
    pairs = (replace(data.pairs[0], inputs=blank, targets=blank, name="blank"), *data.pairs[1:])
    scores = run(evaluate_stain(make_model(), replace(data, pairs=pairs)))
    first = scores.stains[0].images[0]
    assert np.isnan(first.pearson)
    assert first.note == "The true DNA is the same everywhere, so there is no r."
    assert any("in 1 of 3 images" in note for note in scores.notes)
    assert np.isfinite(scores.stains[0].pearson)
    json.dumps(scores.to_dict(), allow_nan=False)


def test_pixels_that_are_no_numbers_do_not_count(make_model: MakeModel, make_pairs: MakePairs) -> None:
    data = make_pairs(count=2, side=40)
    moved = replace(data, pairs=tuple(replace(pair, shift=(3, -2)) for pair in data.pairs))
    scores = run(evaluate_stain(make_model(), moved))
    assert np.isfinite(scores.stains[0].pearson)
    assert np.isfinite(scores.stains[0].ssim)


def test_channels_in_another_order_or_missing(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, data = make_model(stains=2), make_pairs(count=3, side=40, stains=2)
    plain = run(evaluate_stain(model, data))
    swapped = replace(
        data,
        stain_names=data.stain_names[::-1],
        pairs=tuple(replace(pair, target_channels=pair.target_channels[::-1]) for pair in data.pairs),
    )
    assert [s.pearson for s in run(evaluate_stain(model, swapped)).stains] == [s.pearson for s in plain.stains]
    single = replace(
        data, stain_names=("actin",), pairs=tuple(replace(pair, target_channels=(2,)) for pair in data.pairs)
    )
    one = run(evaluate_stain(model, single))
    assert [s.name for s in one.stains] == ["actin"]
    assert one.stains[0].pearson == pytest.approx(plain.stains[1].pearson)
    assert any("no 'DNA'" in note for note in one.notes)
    two_inputs = replace(
        data, input_names=("a", "b"), pairs=tuple(replace(pair, input_channels=(0, 1)) for pair in data.pairs)
    )
    with pytest.raises(ModelError, match="a, b"):
        run(evaluate_stain(model, two_inputs))


def test_nothing_to_score(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, data = make_model(), make_pairs(count=2, side=40)
    with pytest.raises(TrainingError, match="nothing to score"):
        run(evaluate_stain(model, data, []))
    with pytest.raises(TrainingError, match="before anything"):
        run(evaluate_stain(model, data, should_stop=lambda: True))
    deep = make_pairs(count=2, side=40, depth=3, output="plane")
    with pytest.raises(ModelError, match="each plane of a stack"):
        run(evaluate_stain(model, deep))


def test_a_stop_scores_what_was_reached(make_model: MakeModel, make_pairs: MakePairs, monkeypatch: Any) -> None:
    monkeypatch.setattr("napari_cellstage.stain.inference.LARGEST_BATCH", 1)
    seen: list[Any] = []
    work = evaluate_stain(make_model(), make_pairs(count=4, side=40), should_stop=lambda: len(seen) >= 2)
    while True:
        try:
            seen.append(next(work))
        except StopIteration as end:
            scores = end.value
            break
    assert scores.stopped
    assert scores.n_images == 2
    assert "2 of 4" in scores.notes[-1]


def test_the_best_plane_is_found_on_the_training_part(
    make_stack: Callable[..., ImageStack], make_pairs: MakePairs
) -> None:
    """The stain is plane 3 of the input upside down, blurred: nothing else fits as well."""
    from scipy.ndimage import gaussian_filter

    data = make_pairs(count=3, side=48, depth=5, output="plane")
    pairs = []
    for number, pair in enumerate(data.pairs):
        light = np.random.default_rng(number).random((5, 48, 48)).astype(np.float32)
        stain = np.broadcast_to(-gaussian_filter(light[3], 2), light.shape)
        stack = from_array(np.stack([light, stain]), "CZYX", str(number), channel_names=("bright field", "DNA"))
        pairs.append(replace(pair, inputs=stack, targets=stack))
    made = replace(data, pairs=tuple(pairs))
    best = best_planes(made, [Region(n, 0, 0, 48, 48) for n in range(2)], [0])[0]
    assert (best.plane, best.blur, best.sign) == (3, 2.0, -1)
    assert best.text(made.input_names) == "bright field, plane 3, blurred by 2 pixels, upside down"


def test_scores_say_where_the_interval_was_calibrated_on_them(make_model: MakeModel, make_pairs: MakePairs) -> None:
    data = make_pairs(count=3)
    split = StainSplit((), (), whole(data, (0,)), "")
    made = make_model()
    model = replace(made, card=made.card | {"calibrated_on": "held_out", "split": split_values(data, split)})
    assert run(evaluate_stain(model, data)).to_dict()["calibrated_here"] is True
    assert run(evaluate_stain(model, data, whole(data, (1, 2)))).to_dict()["calibrated_here"] is False
