from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.calibration import calibrated, cross_fitted, fit_temperature, log_of
from napari_cellstage.core.scoring.scores import score
from napari_cellstage.learn import finetune as room
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.finetune import epochs_for, split
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.learner import Learner
from napari_cellstage.learn.lessons import even_size
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe


def of(kind: type, events: list) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_it_learns_and_scores_cells_it_was_not_given(make_crops, recipe: Recipe, run, tmp_path):
    data = TrainingSet.from_crops(make_crops(count=60), recipe)
    recipe = recipe.but(network="resnet18", epochs=8, views=8)
    events, model = run(fit(data, recipe))
    assert model.scores.accuracy > 0.8
    assert model.scores.n == model.held_out.sum() == 12

    epochs = of(EpochDone, events)
    assert [e.epoch for e in epochs] == list(range(1, 9))
    assert epochs[-1].train_loss < epochs[0].train_loss
    steps = [e for e in of(BatchDone, events) if e.what.startswith("epoch")]
    assert [e.done for e in steps] == sorted(e.done for e in steps)
    assert steps[-1].done == steps[-1].total == 8 * len(split(data, recipe).train)
    assert next(e.text for e in of(Note, events)) == "resnet18 starts from scratch, as chosen."
    assert model.card["started_from"] == "from scratch"
    assert model.card["stopped"] is False

    model.save(tmp_path)
    _, again = run(predict(TrainedModel.load(tmp_path), data.crops[model.held_out]))
    scores = score(data.labels[model.held_out], again.argmax(axis=1), data.classes.names)
    assert scores.accuracy == model.scores.accuracy
    assert np.array_equal(scores.confusion, model.scores.confusion)


def test_same_seed_same_numbers_another_seed_others(data, recipe: Recipe, run):
    recipe = recipe.but(epochs=1)
    one, again = (run(fit(data, recipe))[1] for _ in range(2))
    assert all(np.array_equal(one.arrays[name], again.arrays[name]) for name in one.arrays)
    other = run(fit(data, recipe.but(seed=1)))[1]
    assert any(not np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


@pytest.mark.parametrize("least", [10, 1000])
def test_held_out_cells_choose_nothing(make_crops, recipe: Recipe, run, monkeypatch, least: int):
    """Other held-out pixels must give the same network, with a validation part and without."""
    monkeypatch.setattr(room, "LEAST_FOR_VALIDATION", least)
    crops = make_crops(count=60, groups=5)
    data = TrainingSet.from_crops(crops, recipe)
    _, model = run(fit(data, recipe))
    changed = crops.crops.copy()
    changed[model.held_out] = changed[model.held_out][::-1] // 2
    other = TrainingSet.from_crops(type(crops)(changed, None, *_rest(crops)), recipe)
    _, again = run(fit(other, recipe))
    assert model.scores.n > 0
    assert all(np.array_equal(model.arrays[name], again.arrays[name]) for name in model.arrays)


def _rest(crops):
    return crops.labels, crops.classes, crops.names, crops.groups


@pytest.fixture
def small_validation(monkeypatch) -> None:
    """Let a validation part be cut from few cells, to keep the test short."""
    monkeypatch.setattr(room, "LEAST_FOR_VALIDATION", 10)


def test_few_cells_show_the_held_out_part_and_keep_the_last_epoch(data, recipe: Recipe, run):
    events, model = run(fit(data, recipe))
    assert all(0 <= e.valid_accuracy <= 1 for e in of(EpochDone, events))
    assert model.card["epochs_done"] == recipe.epochs
    events, model = run(fit(data, recipe.but(holdout=0.0)))
    assert all(np.isnan(e.valid_accuracy) for e in of(EpochDone, events))


def test_no_cell_is_in_two_parts(make_crops, recipe: Recipe, small_validation):
    data = TrainingSet.from_crops(make_crops(count=120, groups=10), recipe)
    parts = split(data, recipe)
    rows = np.concatenate([parts.train, parts.valid, parts.held_out])
    assert sorted(rows.tolist()) == list(range(120))
    assert len(parts.valid)
    for one, other in itertools.combinations((parts.train, parts.valid, parts.held_out), 2):
        assert not set(data.groups[one]) & set(data.groups[other])


def test_few_cells_are_all_trained_on(make_crops, recipe: Recipe):
    data = TrainingSet.from_crops(make_crops(count=30), recipe)
    assert len(split(data, recipe).valid) == 0


def test_smallest_possible(make_crops, recipe: Recipe, run):
    data = TrainingSet.from_crops(make_crops(count=4, classes=2, channels=1, side=8), recipe)
    _, model = run(fit(data, recipe.but(holdout=0.0)))
    assert model.scores is None
    assert model.channel_count == 1


@pytest.mark.parametrize("kind", ["bool", "nan", "constant", "uint16"])
def test_awkward_pixels(make_crops, recipe: Recipe, run, kind: str):
    crops = make_crops(count=12, side=16)
    pixels = {
        "bool": crops.crops > 100,
        "nan": np.where(crops.crops > 400, np.nan, crops.crops).astype(np.float32),
        "constant": np.full_like(crops.crops, 7),
        "uint16": crops.crops * np.uint16(150),
    }[kind]
    data = TrainingSet.from_crops(type(crops)(pixels, None, *_rest(crops)), recipe)
    _, model = run(fit(data, recipe.but(epochs=1)))
    _, probabilities = run(predict(model, pixels))
    assert np.isfinite(probabilities).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("heard_at", [0, 1, 100, 350])
def test_a_stop_ends_normally_with_the_best_so_far(data, recipe: Recipe, run, heard_at: int):
    asked = itertools.count()
    events, model = run(fit(data, recipe.but(epochs=50), lambda: next(asked) >= heard_at))
    assert isinstance(model, TrainedModel)
    assert model.card["stopped"] is True
    assert len(of(EpochDone, events)) == model.card["epochs_done"] < 50
    _, probabilities = run(predict(model, data.crops))
    assert np.isfinite(probabilities).all()


def test_a_stop_after_an_epoch_keeps_its_score(data, recipe: Recipe):
    wish = []
    work = fit(data, recipe.but(epochs=50), lambda: bool(wish))
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            model = end.value
            break
        if isinstance(event, BatchDone) and event.what == "epoch 2/50":
            wish.append("stop")
    assert model.scores is not None
    assert model.card["epochs_done"] == 1


def test_patience_ends_early_and_the_best_epoch_is_kept(make_crops, recipe: Recipe, run, small_validation):
    data = TrainingSet.from_crops(make_crops(count=60), recipe)
    recipe = recipe.but(epochs=30, patience=2, learning_rate=0.5, average=0.0)
    events, model = run(fit(data, recipe))
    losses = [e.valid_loss for e in of(EpochDone, events)]
    assert len(losses) < 30
    assert model.card["epochs_done"] == int(np.argmin(losses)) + 1 == len(losses) - 2


def test_full_graphics_memory_halves_the_batch_and_says_so(data, recipe: Recipe, run, monkeypatch):
    sizes, step = [], Learner.step

    def full_above_three(self, crops, labels, rate):
        sizes.append(len(crops))
        if len(crops) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return step(self, crops, labels, rate)

    monkeypatch.setattr(Learner, "step", full_above_three)
    events, model = run(fit(data, recipe.but(epochs=1, validation=0.0)))
    told = [e.text for e in of(Note, events) if "halved" in e.text]
    assert told == [
        "The graphics memory is full, so batches are halved to 4 cells.",
        "The graphics memory is full, so batches are halved to 2 cells.",
    ]
    assert sum(size for size in sizes if size <= 3) >= len(data) - model.held_out.sum() - 1
    assert len(of(EpochDone, events)) == 1


def test_a_batch_that_can_not_be_halved(data, recipe: Recipe, run, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(Learner, "step", full)
    text = r"Not even 2 cells at a time fit into the graphics memory: CUDA out of memory. Tried .* or the CPU"
    with pytest.raises(TrainingError, match=text):
        run(fit(data, recipe))


def test_any_other_error_of_torch_is_shown_as_what_it_is(data, recipe: Recipe, run, monkeypatch):
    def broken(*_):
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(Learner, "step", broken)
    with pytest.raises(TrainingError, match=r"What torch says: CUDA error: device-side assert triggered") as caught:
        run(fit(data, recipe))
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("precision", ["auto", "full"])
def test_both_precisions_train(data, recipe: Recipe, run, precision: str):
    events, _ = run(fit(data, recipe.but(network="resnet18", epochs=1, precision=precision)))
    assert all(np.isfinite(e.train_loss) for e in of(EpochDone, events))


def test_epochs_by_the_number_of_cells(data, recipe: Recipe, run):
    assert [epochs_for(n) for n in (4, 144, 2500, 32_000)] == [100, 100, 30, 10]
    work = fit(data, recipe.but(epochs=0))
    first = next(event for event in work if isinstance(event, BatchDone))
    assert first.what == "epoch 1/100"
    work.close()


@pytest.mark.parametrize(("cells", "batch", "size"), [(64, 32, 32), (65, 32, 22), (33, 32, 17), (5, 32, 5), (2, 2, 2)])
def test_batches_of_like_size(cells: int, batch: int, size: int):
    assert even_size(cells, batch) == size


def test_an_unknown_network(data, recipe: Recipe, run):
    with pytest.raises(TrainingError, match=r"There is no network 'resnet35'"):
        run(fit(data, recipe.but(network="resnet35")))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_on_a_graphics_card(data, recipe: Recipe, run):
    recipe = recipe.but(network="resnet18", device="cuda")
    one, again = (run(fit(data, recipe))[1] for _ in range(2))
    assert all(np.array_equal(one.arrays[name], again.arrays[name]) for name in one.arrays)
    _, probabilities = run(predict(one, data.crops))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_its_confidence_is_calibrated_and_each_held_out_cell_by_others(make_crops, recipe: Recipe, run):
    data = TrainingSet.from_crops(make_crops(count=60, groups=10), recipe)
    _, model = run(fit(data, recipe.but(holdout=0.4)))
    unseen = model.unseen
    assert model.card["temperature"] == pytest.approx(fit_temperature(log_of(unseen.raw), unseen.truth))
    fair = cross_fitted(unseen.raw, unseen.truth, unseen.groups, recipe.seed)
    assert np.allclose(unseen.probabilities, fair)
    shown = run(predict(model, data.crops[model.held_out]))[1]
    assert np.allclose(shown, calibrated(unseen.raw, model.card["temperature"]), atol=1e-4)


def test_few_held_out_cells_make_it_never_surer(make_crops, recipe: Recipe, run):
    data = TrainingSet.from_crops(make_crops(count=12), recipe)
    _, model = run(fit(data, recipe))
    assert model.card["temperature"] >= 1
