"""What the network sees of a cell, by the recipe's choices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError, TrainingError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import from_array
from napari_cellstage.core.intensities import levels_of
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.learn import predict_image
from napari_cellstage.learn.cutting import Cutter, cut, normalisation_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict, predict_snapshot
from napari_cellstage.learn.quick import fit_quick
from napari_cellstage.learn.recipe import Recipe

QUICK = Recipe.load("quick").but(crop_size=24, threads=1, weights="none")
SIDE = 40  # pixels between cells


def field(
    image_id: int = 1,
    cells: int = 12,
    zoom: int = 1,
    pixel_um: float | None = 0.5,
    gain: float = 1.0,
    planes: int = 1,
    plate: str = "",
) -> ImageSnapshot:
    """Return squares of two sizes in a row, class 1 and 2, enlarged `zoom` times and brightened by `gain`."""
    pixels = np.random.default_rng(image_id).normal(100, 3, (planes, SIDE, SIDE * cells))
    labels = np.zeros((1, planes, SIDE, SIDE * cells), dtype=np.int32)
    class_ids = np.arange(cells) % 2 + 1
    for place, class_id in enumerate(class_ids):
        half = 4 * class_id
        part = (slice(20 - half, 20 + half), slice(SIDE * place + 20 - half, SIDE * place + 20 + half))
        pixels[:, *part] += 200
        labels[0, :, *part] = place + 1
    pixels = (gain * pixels).repeat(zoom, axis=1).repeat(zoom, axis=2)
    labels = labels.repeat(zoom, axis=2).repeat(zoom, axis=3)
    size = None if pixel_um is None else (1.0, pixel_um, pixel_um)
    stack = from_array(pixels.astype(np.uint16), "ZYX", f"field {image_id}", pixel_size_um=size)
    return ImageSnapshot(image_id, stack, CellTable.from_labels(labels), labels, class_ids, plate=plate)


def work(*images: ImageSnapshot) -> WorkSnapshot:
    return WorkSnapshot(images, ClassScheme.from_names(["small", "large"]), (0,))


def all_rows(image: ImageSnapshot) -> np.ndarray:
    return np.arange(len(image.cells))


def test_crops_in_pixels_are_the_image_itself():
    image = field()
    crops, masks = cut(image, all_rows(image), (0,), QUICK)
    assert crops.dtype == np.uint16
    assert crops.shape == (12, 1, 24, 24)
    plane = np.asarray(image.stack.data)[0, 0, 0]
    np.testing.assert_array_equal(crops[1, 0], plane[8:32, SIDE + 8 : SIDE + 32])
    assert masks.sum(axis=(1, 2)).tolist() == [64, 256] * 6


def test_the_same_cells_at_twice_the_magnification_look_the_same_in_micrometres():
    recipe = QUICK.but(crop="micrometres", crop_um=12.0)
    plain, fine = field(zoom=1, pixel_um=0.5), field(zoom=2, pixel_um=0.25)
    one, mask = cut(plain, all_rows(plain), (0,), recipe)
    two, finer = cut(fine, all_rows(fine), (0,), recipe)
    assert one.dtype == np.uint16  # a step of one pixel is a plain copy
    assert np.abs(one[:, :, 1:-1, 1:-1] - two[:, :, 1:-1, 1:-1]).mean() < 10  # of 200; up to half a pixel aside
    assert (mask == finer).mean() > 0.95


def test_micrometres_need_a_pixel_size():
    image = field(pixel_um=None)
    with pytest.raises(
        TrainingError, match=r"pixel of 'field 1' is, its file does not say.*12 µm.*Choose crops in pix"
    ):
        cut(image, all_rows(image), (0,), QUICK.but(crop="micrometres", crop_um=12.0))


def test_fitted_crops_make_large_and_small_cells_alike():
    image = field()
    _, masks = cut(image, all_rows(image), (0,), QUICK.but(crop="cell", margin=1.5))
    share = masks.mean(axis=(1, 2))
    np.testing.assert_allclose(share, 1 / 1.5**2, atol=0.1)


def test_masked_surroundings_are_the_background_and_the_cell_is_as_it_was():
    image = field()
    kept, masks = cut(image, all_rows(image), (0,), QUICK)
    masked, _ = cut(image, all_rows(image), (0,), QUICK.but(surroundings="masked"))
    np.testing.assert_array_equal(masked[:, 0][masks], kept[:, 0][masks])
    (ground,) = set(masked[:, 0][~masks].tolist())
    assert ground == pytest.approx(100, abs=3)


def test_all_planes_are_channels_of_training_and_model(run):
    snapshot = work(field(planes=4), field(2, planes=4))
    recipe = QUICK.but(planes="all", planes_count=3)
    data = TrainingSet.from_snapshot(snapshot, recipe)
    assert data.crops.shape[1] == 3
    _, model = run(fit_quick(data, recipe))
    assert (model.channel_count, model.input_count) == (1, 3)
    _, answers = run(predict_snapshot(model, snapshot))
    assert np.isfinite(answers[1].probabilities).all()
    with pytest.raises(ModelError, match=r"3 pictures a cell, but 1 were given. Predict the cells of an image"):
        run(predict(model, data.crops[:, :1], data.masks))


def test_a_model_in_micrometres_predicts_another_magnification_right(run, tmp_path):
    recipe = QUICK.but(crop="micrometres", crop_um=12.0, holdout=0.0)
    _, trained = run(fit_quick(TrainingSet.from_snapshot(work(field(cells=20)), recipe), recipe))
    trained.save(tmp_path)
    model = TrainedModel.load(tmp_path)
    assert model.recipe.crop_um == 12.0
    other = field(7, zoom=3, pixel_um=0.5 / 3)
    _, answers = run(predict_snapshot(model, work(other)))
    assert (answers[7].probabilities.argmax(axis=1) + 1 == other.class_ids).all()


@pytest.mark.parametrize("normalise", ["image", "plate"])
def test_images_of_different_brightness_become_alike(normalise: str):
    dim, bright = field(1, plate="A"), field(1, gain=5.0, plate="B")
    recipe = QUICK.but(normalise=normalise)
    one, two = (cut(i, all_rows(i), (0,), recipe, (dim, bright))[0] for i in (dim, bright))
    assert one.dtype == np.float32
    np.testing.assert_allclose(one, two, atol=0.02)
    assert one.max() == pytest.approx(1, abs=0.1)


def test_images_of_one_plate_keep_their_difference():
    dim, bright = field(1, plate="A"), field(2, gain=5.0, plate="A")
    one, two = (cut(i, all_rows(i), (0,), QUICK.but(normalise="plate"), (dim, bright))[0] for i in (dim, bright))
    assert two.max() > 3 * one.max()


def test_crops_without_their_image_are_refused_by_a_model_that_needs_it(run):
    recipe = QUICK.but(normalise="image")
    snapshot = work(field(cells=16))
    data = TrainingSet.from_snapshot(snapshot, recipe)
    _, model = run(fit_quick(data, recipe))
    assert model.normalisation == Normalisation("image", (0.0,), (1.0,))
    with pytest.raises(ModelError, match=r"as bright as their image lets them be.*train with normalise 'dataset'"):
        run(predict(model, data.crops, data.masks))
    _, answers = run(predict_snapshot(model, snapshot))
    assert np.isfinite(answers[1].probabilities).all()


def test_fixed_values_are_one_for_all_or_one_a_channel():
    crops = np.zeros((1, 2, 4, 4), np.uint8)
    fixed = QUICK.but(normalise="fixed", fixed_low="10", fixed_high="100, 200")
    assert normalisation_of(crops, fixed) == Normalisation("fixed", (10.0, 10.0), (100.0, 200.0))
    with pytest.raises(TrainingError, match="fixed_high has 2 numbers, but the network sees 3 channels"):
        normalisation_of(np.zeros((1, 3, 4, 4), np.uint8), fixed)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"fixed_low": "dark"}, "fixed_low is 'dark', but must be a number, or one number a channel"),
        ({"fixed_high": ""}, "fixed_high is '', but must be a number"),
        ({"fixed_low": "255"}, "fixed_low is 255 and fixed_high 255. Make fixed_high the larger one"),
        ({"fixed_low": "1, 2", "fixed_high": "4, 5, 6"}, "fixed_low has 2 numbers and fixed_high 3. Give both"),
    ],
)
def test_fixed_values_that_can_not_be(changes: dict, text: str):
    with pytest.raises(TrainingError, match=text):
        QUICK.but(**changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"crop": "cell"}, "crop is 'cell', which needs whole images.*Choose 'pixels'"),
        ({"surroundings": "masked"}, "surroundings is 'masked'.*Choose 'kept'"),
        ({"planes": "focus"}, "planes is 'focus'.*Choose 'nearest'"),
        ({"normalise": "plate"}, "normalise is 'plate'.*Choose 'dataset'"),
    ],
)
def test_class_folders_are_taken_as_they_are(changes: dict, text: str):
    crops = np.zeros((4, 1, 8, 8), np.uint8)
    names = tuple("abcd")
    folders = CropSet(crops, None, np.array([0, 0, 1, 1]), ("x", "y"), names, np.array(names))
    with pytest.raises(TrainingError, match=text):
        TrainingSet.from_crops(folders, QUICK.but(**changes))


def test_groups_of_the_image_are_the_groups_of_the_split():
    wells = np.array(["A1"] * 6 + ["B2"] * 6)
    data = TrainingSet.from_snapshot(work(replace(field(), groups=wells), field(2)), QUICK)
    assert data.groups.tolist() == ["A1"] * 6 + ["B2"] * 6 + ["image 2"] * 12


def test_tiles_of_a_contact_sheet_have_no_mask_and_are_not_masked():
    image = field()
    sheet = replace(image, stack=replace(image.stack, tile=SIDE))
    plain, _ = cut(sheet, all_rows(sheet), (0,), QUICK)
    crops, masks = cut(sheet, all_rows(sheet), (0,), QUICK.but(surroundings="masked"))
    assert not masks.any()
    np.testing.assert_array_equal(crops, plain)


def test_cells_predicted_in_order_of_place_are_answered_in_their_own_order(run, monkeypatch):
    monkeypatch.setattr(predict_image, "CHUNK", 5)
    mixed = np.random.default_rng(0).permutation(12)
    image = field()
    shuffled = replace(image, cells=image.cells.take(mixed), class_ids=image.class_ids[mixed])
    assert sorted(Cutter(shuffled, (0,), QUICK).in_order().tolist()) == list(range(12))
    data = TrainingSet.from_snapshot(work(image, field(2)), QUICK)
    _, model = run(fit_quick(data, QUICK))
    _, answers = run(predict_snapshot(model, work(shuffled)))
    assert (answers[1].probabilities.argmax(axis=1) + 1 == shuffled.class_ids).all()


def test_the_background_is_the_commonest_level_and_the_range_leaves_specks_out():
    plane = np.random.default_rng(0).normal(500, 20, (300, 300))
    plane[:40] = 3000
    plane[200, 200] = 60000
    levels = levels_of([from_array(plane.astype(np.uint16), "YX", "dark ground")], (0,))
    assert levels.background[0] == pytest.approx(500, abs=15)
    assert levels.high[0] == pytest.approx(3000)


def test_a_picture_of_black_and_white_has_levels_too():
    levels = levels_of([from_array(np.eye(30, dtype=bool), "YX", "bits")], (0,))
    assert (levels.low, levels.high, levels.background) == ((0.0,), (1.0,), (0.0,))


def test_a_large_image_is_sampled_in_places(monkeypatch):
    reads = []
    stack = from_array(np.arange(4_000_000, dtype=np.float32).reshape(2000, 2000), "YX", "large")
    monkeypatch.setattr("napari_cellstage.core.intensities.SAMPLE_PIXELS", 1 << 16)
    region = type(stack).region
    monkeypatch.setattr(type(stack), "region", lambda *a: reads.append(a[4:]) or region(*a))
    levels = levels_of([stack], (0,))
    levels_of([stack], (0,))
    assert len(reads) == 25  # and not again
    assert levels.low[0] < 500_000 < 3_500_000 < levels.high[0]
