from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn import measure as measuring
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.measure import steady_normalisation
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.quick import fit_quick, judge_quick
from napari_cellstage.learn.recipe import Recipe


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.load("quick").but(threads=1, weights="none")


def test_it_learns_what_can_be_seen_and_scores_cells_it_was_not_given(data, recipe, run):
    events, model = run(fit(data, recipe))
    assert model.scores is not None
    assert model.scores.n == model.held_out.sum() > 0
    assert model.scores.accuracy == 1
    assert [type(e) for e in events if not isinstance(e, BatchDone)] == [Note, EpochDone]
    assert model.card["classifier"].startswith("a linear and a kernel classifier together")


def test_the_held_out_cells_choose_nothing(data, recipe, run):
    held_out = data.held_out(recipe)
    crops = data.crops.copy()
    crops[held_out] = 60_000
    changed = TrainingSet(**{**vars(data), "crops": crops})
    _, model = run(fit(data, recipe))
    _, same = run(fit(changed, recipe))
    assert all(np.array_equal(model.arrays[name], same.arrays[name]) for name in model.arrays)
    assert model.normalisation == same.normalisation


def test_two_cells_a_class_are_enough(make_crops, recipe, run):
    data = TrainingSet.from_crops(make_crops(count=4, classes=2, channels=1), recipe)
    _, model = run(fit(data, recipe.but(holdout=0.0)))
    _, chances = run(predict(model, data.crops))
    assert model.scores is None
    assert np.array_equal(chances.argmax(axis=1), data.labels)
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_crops_without_anything_in_them_give_probabilities_all_the_same(make_crops, recipe, run, value):
    crops = make_crops(count=12, classes=2, channels=1)
    blank = TrainingSet.from_crops(crops, recipe)
    blank = TrainingSet(**{**vars(blank), "crops": np.full(crops.crops.shape, value, dtype=np.float32)})
    _, model = run(fit(blank, recipe))
    _, chances = run(predict(model, blank.crops))
    assert chances == pytest.approx(0.5, abs=0.05)


def test_a_saved_model_predicts_the_same(data, recipe, run, tmp_path):
    _, model = run(fit(data, recipe))
    model.save(tmp_path / "run")
    _, before = run(predict(model, data.crops))
    _, after = run(predict(TrainedModel.load(tmp_path / "run"), data.crops))
    assert np.allclose(before, after, atol=1e-6)
    assert sorted(f.name for f in (tmp_path / "run").iterdir()) == ["card.json", "weights.safetensors"]


def test_same_seed_same_model(data, recipe, run):
    models = [run(fit(data, recipe))[1] for _ in range(2)]
    one, other = (model.arrays for model in models)
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_stop_before_there_is_a_model_says_so(data, recipe, run):
    with pytest.raises(TrainingStopped, match="stopped before there was a first model"):
        run(fit(TrainingSet(**{**vars(data), "crops": np.zeros((36, 2, 320, 320))}), recipe, lambda: True))


def test_a_stop_while_choosing_gives_a_model(data, recipe, run):
    events = []

    def measured() -> bool:
        return any("choosing" in e.what for e in events if isinstance(e, BatchDone))

    work = fit(data, recipe, measured)
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            model = end.value
            break
    assert model.scores.accuracy > 0.8


def test_a_stopped_prediction_leaves_the_rest_unsaid(data, recipe, run):
    _, model = run(fit(data, recipe))
    many = np.concatenate([data.crops] * 8)
    _, chances = run(predict(model, many, None, lambda: True))
    done = np.isfinite(chances[:, 0])
    assert 0 < done.sum() < len(many)
    assert done[: done.sum()].all()


def test_nothing_to_predict(data, recipe, run):
    _, model = run(fit(data, recipe))
    _, chances = run(predict(model, data.crops[:0]))
    assert chances.shape == (0, 3)


def test_masks_are_used_only_by_a_model_that_was_trained_with_them(data, recipe, run):
    _, model = run(fit(data, recipe))
    masks = np.zeros((36, 24, 24), dtype=bool)
    masks[:, :3, :3] = True
    _, without = run(predict(model, data.crops))
    _, given = run(predict(model, data.crops, masks))
    assert np.array_equal(without, given)
    _, with_masks = run(fit(TrainingSet(**{**vars(data), "masks": masks}), recipe))
    assert with_masks.card["uses_masks"]


def test_cells_measured_before_are_not_measured_again(data, recipe, run, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    events, model = run(fit_quick(data, recipe, cache=cache))
    assert [e.done for e in events if isinstance(e, BatchDone) and e.what == "measuring cells"][-1] == 36

    fresh = run(judge_quick(model, data.crops))[1].probabilities
    shuffled = np.random.default_rng(0).permutation(36)
    some_new = np.concatenate([data.crops[shuffled], data.crops[:2] + 1])
    measured = []
    real = measuring.feature_batches
    monkeypatch.setattr(measuring, "feature_batches", lambda c, *a: measured.append(len(c)) or real(c, *a))
    cached = run(judge_quick(model, some_new, cache=cache))[1].probabilities
    assert measured == [2]
    assert np.allclose(cached[:36], fresh[shuffled], atol=1e-6)


def test_one_more_cell_hardly_ever_changes_the_range():
    rng = np.random.default_rng(0)
    crops = rng.integers(100, 3000, (40, 1, 16, 16)).astype(np.uint16)
    ranges = {steady_normalisation(crops[:n], Recipe.load("quick")) for n in range(20, 40)}
    assert len(ranges) <= 2
    exact = Normalisation.of(crops)
    (coarse,) = {steady_normalisation(crops, Recipe.load("quick"))}
    assert coarse.low[0] <= exact.low[0]
    assert coarse.high[0] >= exact.high[0]
    assert coarse.high[0] - coarse.low[0] < 1.3 * (exact.high[0] - exact.low[0])


def test_absolute_brightness_tells_classes_apart(recipe, run, make_crops):
    crops = make_crops(count=40, classes=2, channels=1)
    same_shape = np.tile(crops.crops[:1], (40, 1, 1, 1)).astype(np.float32)
    same_shape *= np.where(crops.labels == 0, 1.0, 1.5)[:, None, None, None]
    same_shape += np.random.default_rng(0).normal(0, 2, same_shape.shape)
    data = TrainingSet.from_crops(crops, recipe)
    data = TrainingSet(**{**vars(data), "crops": same_shape.astype(np.float32)})
    _, model = run(fit(data, recipe))
    assert model.scores.accuracy == 1


def test_a_model_whose_card_is_damaged_says_so(data, recipe, run):
    _, model = run(fit(data, recipe))
    for pair in (["both"], {"shrinkage": "much", "sharpness": [0.1, 0.0], "temperatures": [1, 1]}):
        model.card["choice"]["pair"] = pair
        with pytest.raises(ModelError, match=r"The model's card is damaged: .*train a new model"):
            list(predict(model, data.crops[:2]))


def test_a_model_whose_file_lacks_an_array_says_so(data, recipe, run):
    _, model = run(fit(data, recipe))
    del model.arrays["linear.bias"]
    with pytest.raises(ModelError, match=r"lacks 'linear\.bias'"):
        run(predict(model, data.crops))


def test_a_model_of_other_features_says_so(data, recipe, run):
    _, model = run(fit(data, recipe))
    model.arrays["linear.mean"] = model.arrays["linear.mean"][:-1]
    with pytest.raises(ModelError, match=r"made for \d+ features a cell, this version measures \d+"):
        run(predict(model, data.crops))


def test_quick_loads_no_torch(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; import napari_cellstage.learn.quick, napari_cellstage.learn.job; "
        "raise SystemExit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_it_says_of_held_out_cells_is_what_it_will_say_of_new_ones(data, recipe, run):
    _, model = run(fit(data, recipe))
    chances = run(predict(model, data.crops[model.held_out]))[1]
    assert np.allclose(model.unseen.probabilities, chances, atol=1e-5)
    assert model.unseen.names.tolist() == [name for name, held in zip(data.names, model.held_out, strict=True) if held]
    assert model.unseen.unlike.shape == (int(model.held_out.sum()),)
    assert model.scores.n == len(model.unseen)


def test_the_cells_held_out_can_be_said(data, recipe, run):
    held_out = np.arange(36) % 6 == 0
    _, model = run(fit(data, recipe, held_out=held_out))
    assert np.array_equal(model.held_out, held_out)
    assert model.scores.n == 6


def test_the_published_baseline_is_trees_on_features_alone_with_few_cells_too(data, run, tmp_path):
    baseline = Recipe.load("features-xgboost").but(threads=1, trees=20)
    _, model = run(fit(data, baseline))
    assert model.card["started_from"] == "classical features"
    assert model.card["classifier"].startswith("boosted trees")
    assert model.card["temperature"] > 0
    assert model.scores is not None
    model.save(tmp_path)
    assert (tmp_path / "head.ubj").is_file()
    assert run(predict(TrainedModel.load(tmp_path), data.crops))[1].shape == (36, 3)
