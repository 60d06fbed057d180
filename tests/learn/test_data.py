from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import from_array
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.tasks import Task
from napari_cellstage.learn.data import TrainingSet, cell_names
from napari_cellstage.learn.recipe import Recipe

RECIPE = Recipe().but(crop_size=16)


def image(image_id: int, class_ids: list[int], channels: int = 2) -> ImageSnapshot:
    """Make an image with a row of square cells, brighter the further right."""
    labels = np.zeros((1, 1, 40, 20 * len(class_ids)), dtype=np.int32)
    pixels = np.zeros((channels, *labels.shape[2:]), dtype=np.uint8)
    for place in range(len(class_ids)):
        labels[0, 0, 14:24, 20 * place + 5 : 20 * place + 15] = place + 1
        pixels[:, 14:24, 20 * place + 5 : 20 * place + 15] = 10 * (place + 1)
    stack = from_array(pixels, "CYX", f"image {image_id}")
    return ImageSnapshot(image_id, stack, CellTable.from_labels(labels), labels, np.array(class_ids, dtype=np.int64))


def snapshot(*images: ImageSnapshot, channels: tuple[int, ...] = (1,)) -> WorkSnapshot:
    return WorkSnapshot(images, ClassScheme.from_names(["a", "b", "c"]), channels)


def test_from_snapshot_takes_the_labelled_cells_only():
    work = snapshot(image(7, [3, 0, 1, 1, 3]), image(8, [0, 0]), image(9, [1, 3]))
    data = TrainingSet.from_snapshot(work, RECIPE)
    assert data.crops.shape == (6, 1, 16, 16)
    assert data.classes.names == ("a", "c")
    assert data.labels.tolist() == [1, 0, 0, 1, 0, 1]
    assert data.groups.tolist() == ["image 7"] * 4 + ["image 9"] * 2
    assert [int(c.max()) for c in data.crops] == [10, 30, 40, 50, 10, 20]
    assert data.masks is not None
    assert data.masks.sum(axis=(1, 2)).tolist() == [100] * 6
    assert data.channel_names == (work.images[0].stack.channel_names[1],)
    assert data.names[1] == cell_names(work.images[0])[2]
    assert len(set(data.names)) == 6


def test_cells_set_aside_are_not_trained_on():
    aside = ((0, 1), (0, 3))
    work = snapshot(
        replace(image(7, [3, 0, 1, 1, 3]), aside=aside), image(9, [1, 3, 3]), replace(image(8, [3]), aside=((0, 1),))
    )
    data = TrainingSet.from_snapshot(work, RECIPE)
    assert data.refs.image_id.tolist() == [7, 7, 9, 9, 9]
    assert data.refs.cell_id.tolist() == [4, 5, 1, 2, 3]
    assert data.aside == 3
    with pytest.raises(TrainingError, match="No cell is labelled"):
        TrainingSet.from_snapshot(snapshot(replace(image(7, [1, 3]), aside=((0, 1), (0, 2)))), RECIPE)


def test_from_crops_leaves_empty_classes_out(make_crops):
    crops = make_crops(count=12, classes=3)
    crops = replace(crops, labels=np.where(crops.labels == 1, 2, crops.labels))
    data = TrainingSet.from_crops(crops, RECIPE)
    assert data.classes.names == ("a", "c")
    assert data.labels.tolist() == [0, 1, 1] * 4
    assert data.crop_size == 24
    assert data.channels == (0, 1)


def test_held_out_is_the_same_for_every_recipe_and_cuts_no_group(make_crops):
    data = TrainingSet.from_crops(make_crops(count=60, groups=5), RECIPE)
    held_out = data.held_out(RECIPE)
    assert 0 < held_out.sum() < 30
    assert (held_out == data.held_out(RECIPE.but(kind="finetune", epochs=3))).all()
    assert not set(data.groups[held_out]) & set(data.groups[~held_out])


def only(crops: CropSet, rows: list[int]) -> CropSet:
    return replace(crops, crops=crops.crops[rows], labels=crops.labels[rows], names=tuple(crops.names[r] for r in rows))


def test_no_cell_is_labelled():
    with pytest.raises(TrainingError, match=r"No cell is labelled; training needs 2 classes or more. Label some cells"):
        TrainingSet.from_snapshot(snapshot(image(1, [0, 0])), RECIPE)


def test_one_class_only(make_crops):
    with pytest.raises(TrainingError, match=r"Only class 'b' has labelled cells; training needs 2 classes"):
        TrainingSet.from_crops(only(make_crops(), [1, 4, 7]), RECIPE)


def test_a_class_with_one_cell():
    text = "Class 'c' has 1 labelled cell; training needs at least 2. Label another, or leave the class out."
    with pytest.raises(TrainingError, match=text):
        TrainingSet.from_snapshot(snapshot(image(1, [1, 1, 3])), RECIPE)


@pytest.mark.parametrize(("channels", "named"), [((0, 2), "0, 2"), ((), "none")])
def test_a_channel_that_an_image_has_not(channels, named):
    with pytest.raises(TrainingError, match=rf"see channels {named}, but 'image 1' has 2 .*every labelled image has"):
        TrainingSet.from_snapshot(snapshot(image(1, [1, 1, 3, 3]), channels=channels), RECIPE)


def test_cells_of_left_out_classes_are_not_trained_on_and_the_rest_is_split_as_all():
    images = [image(number, [1, 2, 3, 2, 1]) for number in range(1, 7)]
    whole = TrainingSet.from_snapshot(snapshot(*images), RECIPE)
    some = TrainingSet.from_snapshot(replace(snapshot(*images), left_out=(2,)), RECIPE)
    assert some.classes.names == ("a", "c")
    assert [(one.name, count) for one, count in some.left_out] == [("b", 12)]
    kept = whole.labels != 1
    assert some.names == tuple(np.array(whole.names)[kept])
    assert some.held_out(RECIPE).tolist() == whole.held_out(RECIPE)[kept].tolist()
    same = whole.of_classes(("c", "a"))
    assert same.left_out == some.left_out
    assert same.labels.tolist() == some.labels.tolist()
    assert same.held_out(RECIPE).tolist() == some.held_out(RECIPE).tolist()
    assert same.folds(RECIPE.but(folds=3)).tolist() == some.folds(RECIPE.but(folds=3)).tolist()


def test_a_class_of_one_cell_can_be_left_out():
    work = snapshot(image(7, [1, 1, 2, 3, 3]))
    with pytest.raises(TrainingError, match="Class 'b' has 1 labelled cell"):
        TrainingSet.from_snapshot(work, RECIPE)
    assert len(TrainingSet.from_snapshot(replace(work, left_out=(2,)), RECIPE)) == 4


def test_a_class_without_cells_that_is_left_out_changes_nothing():
    data = TrainingSet.from_snapshot(replace(snapshot(image(7, [1, 1, 3, 3])), left_out=(2,)), RECIPE)
    assert data.left_out == ()
    assert data.split is None


def test_a_task_of_class_folders_keeps_numbers_and_colours(make_crops):
    crops = make_crops()
    whole, task = TrainingSet.from_crops(crops, RECIPE), Task.of(("a", "c"), crops.classes)
    some = TrainingSet.from_crops(crops, RECIPE, task)
    assert [(one.id, one.color) for one in some.classes] == [
        (one.id, one.color) for one in whole.classes if one.name != "b"
    ]
    assert [(one.name, count) for one, count in some.left_out] == [("b", 12)]
    kept = whole.labels != 1
    assert some.held_out(RECIPE).tolist() == whole.held_out(RECIPE)[kept].tolist()
    assert (some.crops == crops.crops[kept]).all()
    assert crops.of_classes(["c", "a"]).classes == ("a", "c")
    assert whole.of_classes(whole.classes.names) is whole
