from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.learn import predict_image as room
from napari_cellstage.learn.cutting import Cutter
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.embedding import Embedder, headless
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.network_predict import network_of, view_numbers
from napari_cellstage.learn.networks import make_network
from napari_cellstage.learn.predict import judge, predict, predict_snapshot, resized
from napari_cellstage.learn.recipe import Recipe


def field(image_id: int, cells: int, labelled: int) -> ImageSnapshot:
    """Make an image with a row of cells; the first ones are labelled, bright ones with class 2."""
    labels = np.zeros((1, 1, 30, 20 * cells), dtype=np.int32)
    pixels = np.random.default_rng(image_id).integers(0, 20, (2, 30, 20 * cells)).astype(np.uint8)
    class_ids = np.arange(cells) % 2 + 1
    for place in range(cells):
        labels[0, 0, 10:20, 20 * place + 5 : 20 * place + 15] = place + 1
        pixels[:, 10:20, 20 * place + 5 : 20 * place + 15] += np.uint8(100 * class_ids[place])
    stack = from_array(pixels, "CYX", f"field {image_id}")
    shown = np.where(np.arange(cells) < labelled, class_ids, 0)
    return ImageSnapshot(image_id, stack, CellTable.from_labels(labels), labels, shown)


@pytest.fixture(scope="module")
def work() -> WorkSnapshot:
    images = (field(1, 14, 12), field(2, 9, 0))
    return WorkSnapshot(images, ClassScheme.from_names(["dim", "bright", "unused"]), (0, 1))


@pytest.fixture(scope="module")
def model(work: WorkSnapshot):
    recipe = Recipe.load("finetune").but(
        network="resnet18", weights="none", epochs=6, batch_size=6, crop_size=16, threads=1, views=2
    )
    training = fit(TrainingSet.from_snapshot(work, recipe), recipe)
    while True:
        try:
            next(training)
        except StopIteration as end:
            return end.value


def test_every_cell_of_every_image(work: WorkSnapshot, model, run):
    events, answers = run(predict_snapshot(model, work, run="run 1"))
    assert set(answers) == {1, 2}
    assert [len(answers[i]) for i in (1, 2)] == [14, 9]
    assert answers[1].class_ids == (1, 2)
    assert answers[1].run == "run 1"
    for image in work.images:
        probabilities = answers[image.image_id].probabilities
        assert probabilities.dtype == np.float32
        assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert events[-1].done == events[-1].total == 23


def test_it_says_what_each_cell_was_to_the_model(work: WorkSnapshot, model, run):
    answers = run(predict_snapshot(model, work))[1]
    assert (answers[2].part == NEITHER).all()
    assert (answers[1].part[12:] == NEITHER).all()
    assert (answers[1].part[:12] == np.where(model.held_out, HELD_OUT, TRAINED)).all()
    assert 0 < model.held_out.sum() < 12


def test_it_does_not_matter_how_the_work_is_cut(work: WorkSnapshot, model, run, monkeypatch):
    whole = run(predict_snapshot(model, work))[1]
    monkeypatch.setattr(room, "CHUNK", 4)
    events, cut = run(predict_snapshot(model, work))
    assert [e.done for e in events] == [4, 8, 12, 14, 18, 22, 23]
    for image_id in (1, 2):
        assert np.allclose(whole[image_id].probabilities, cut[image_id].probabilities, atol=0.02)


def test_a_stop_leaves_the_rest_unpredicted(work: WorkSnapshot, model, run, monkeypatch):
    monkeypatch.setattr(room, "CHUNK", 4)
    wish: list[str] = []
    steps = predict_snapshot(model, work, lambda: bool(wish))
    next(steps)
    wish.append("stop")
    answers = run(steps)[1]
    assert np.isnan(answers[1].probabilities[4:]).all()
    assert not np.isnan(answers[1].probabilities[:4]).any()
    assert (answers[2].predicted == 0).all()
    assert len(answers[2]) == 9


def test_another_number_of_channels_is_refused(work: WorkSnapshot, model, run):
    with pytest.raises(ModelError, match=r"looks at 2 channels .*but 1 was given"):
        run(predict_snapshot(model, replace(work, channels=(0,))))
    with pytest.raises(ModelError, match=r"looks at 2 channels .*but 3 were given"):
        run(predict(model, np.zeros((2, 3, 16, 16), np.uint8)))


def test_no_cells_no_trouble(model, run):
    assert run(predict(model, np.zeros((0, 2, 16, 16), np.uint8)))[1].shape == (0, 2)


def test_weights_of_another_network_are_refused(model, run):
    other = make_network("mobilenet_v3_small", 2, 2).state_dict()
    wrong = replace(model, arrays={name: tensor.numpy() for name, tensor in other.items()})
    with pytest.raises(ModelError, match=r"don't fit the resnet18 its card names: .*Copy the run folder again"):
        run(predict(wrong, np.zeros((1, 2, 16, 16), np.uint8)))


def test_turned_and_mirrored_cells_get_the_same_answer(model, run):
    full = replace(model, recipe=model.recipe.but(views=8, precision="full"))
    crops = np.random.default_rng(0).integers(0, 255, (3, 2, 16, 16)).astype(np.uint8)
    straight = run(predict(full, crops))[1]
    turned = run(predict(full, np.rot90(crops, axes=(2, 3))[..., ::-1]))[1]
    assert np.allclose(straight, turned, atol=1e-4)


def test_views_are_only_those_the_training_showed():
    assert view_numbers(Recipe()) == list(range(8))
    assert view_numbers(Recipe(rotate=False)) == [0, 1, 2, 3]
    assert view_numbers(Recipe(flip=False)) == [0, 3, 5, 6]
    assert view_numbers(Recipe(rotate=False, flip=False)) == [0]
    assert view_numbers(Recipe(rotate_up_to=10.0)) == [0, 1, 2, 3]
    assert view_numbers(Recipe(rotate_up_to=90.0)) == list(range(8))
    assert view_numbers(Recipe(rotate=False, flip=False, quarter_turns=True)) == [0, 3, 5, 6]


@pytest.mark.parametrize("shape", [(16, 16), (9, 9), (40, 40), (10, 30), (30, 10), (5, 33)])
def test_crops_of_another_size_are_cut_or_mirrored_around_the_middle(shape: tuple[int, int]):
    crops = np.zeros((1, 1, *shape), np.uint8)
    crops[..., shape[0] // 2, shape[1] // 2] = 9
    fitted = resized(crops, 16)
    assert fitted.shape == (1, 1, 16, 16)
    y, x = (np.argwhere(fitted[0, 0] == 9) - 8).T
    assert np.hypot(y, x).min() < 2


def test_where_cells_lie_comes_with_the_probabilities(work: WorkSnapshot, model, run, tmp_path):
    answers = run(predict_snapshot(model, work))[1]
    for image in work.images:
        found = answers[image.image_id]
        assert found.embedding.dtype == np.float16
        assert found.embedding.shape[0] == found.unlike.shape[0] == len(image.cells)
        assert np.isfinite(found.embedding).all()
    model.save(tmp_path)
    again = run(predict_snapshot(TrainedModel.load(tmp_path), work))[1]
    assert np.allclose(again[1].embedding, answers[1].embedding, atol=0.02)


def test_the_embedding_is_what_the_last_layer_gets_in_the_same_pass(work: WorkSnapshot, model, run):
    model = replace(model, recipe=model.recipe.but(precision="full"))  # an Embedder's is
    crops, _ = Cutter(work.images[0], work.channels, model.cutting).cut(np.arange(14))
    embedded = model.space.embed(Embedder(model, headless(network_of(model)), "").embed(crops))
    found = run(judge(model, crops))[1]
    assert np.allclose(found.embedding.astype(np.float32), embedded, atol=0.005)


def test_a_model_of_an_earlier_version_has_no_space_and_no_temperature(work: WorkSnapshot, model, run, tmp_path):
    arrays = {name: a for name, a in model.arrays.items() if not name.startswith("space_")}
    card = {name: value for name, value in model.card.items() if name != "temperature"}
    replace(model, arrays=arrays, card=card).save(tmp_path)
    found = run(predict_snapshot(TrainedModel.load(tmp_path), work))[1][1]
    assert found.embedding is None
    assert found.unlike is None
    assert not found.flagged.any()
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_temperature_of_the_card_is_in_what_is_predicted(work: WorkSnapshot, model, run):
    sure, unsure = (
        run(predict_snapshot(replace(model, card=model.card | {"temperature": t}), work))[1][1] for t in (0.5, 4.0)
    )
    assert (sure.confidence > unsure.confidence).all()
    assert np.array_equal(sure.predicted, unsure.predicted)
