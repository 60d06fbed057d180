"""A new segmentation: labels and hand-drawn cells go where their cells are, and what has no place is named."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core import carry_over
from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.carry_over import carry_hand_cells, carry_labels
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.hand_cells import Drawn, disc, drawn_cell, polygon
from napari_cellstage.core.marks import Marks
from napari_cellstage.core.volumes import LabelVolume


def volume(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    labels = np.zeros((1, 1, 40, 40), dtype=np.int32)
    for cell_id, y0, x0, y1, x1 in boxes:
        labels[0, 0, y0:y1, x0:x1] = cell_id
    return labels


def carry(old: np.ndarray, names: dict[tuple[int, int], int], new: np.ndarray):  # type: ignore[no-untyped-def]
    image = AnnotatedImage(LabelVolume.of(old), CellTable.from_labels(old), names, 1)
    marks, result = carry_labels(image, LabelVolume.of(new))
    return marks.names(), result


def test_renumbered_cells_keep_their_labels() -> None:
    old = volume((1, 0, 0, 10, 10), (2, 20, 20, 30, 30))
    new = volume((2, 0, 0, 9, 10), (1, 20, 20, 30, 30))
    names, result = carry(old, {(0, 1): 5, (0, 2): 6}, new)
    assert names == {(0, 2): 5, (0, 1): 6}
    assert set(result.moved) == {((0, 1), (0, 2)), ((0, 2), (0, 1))}
    assert not result.kept
    assert not result.lost


def test_the_same_cells_keep_name_and_label() -> None:
    old = volume((1, 0, 0, 10, 10))
    names, result = carry(old, {(0, 1): 5}, old)
    assert names == {(0, 1): 5}
    assert result.kept == ((0, 1),)
    assert result.text == "1 labels went with their cells; none was lost."


def test_a_vanished_cell_is_named() -> None:
    old = volume((1, 0, 0, 10, 10), (2, 20, 20, 30, 30))
    names, result = carry(old, {(0, 1): 5, (0, 2): 6}, volume((1, 0, 0, 10, 10)))
    assert names == {(0, 1): 5}
    assert result.lost == ((0, 2),)
    assert "1 have no cell any more. Undo brings back" in result.text


def test_a_split_cell_gives_its_label_to_the_larger_part() -> None:
    old = volume((1, 0, 0, 10, 10))
    names, _ = carry(old, {(0, 1): 5}, volume((1, 0, 0, 3, 10), (2, 3, 0, 10, 10)))
    assert names == {(0, 2): 5}


def test_a_shrunken_cell_is_found_by_the_centroid() -> None:
    old = volume((1, 0, 0, 11, 11))
    names, result = carry(old, {(0, 1): 5}, volume((7, 4, 4, 8, 8)))
    assert names == {(0, 7): 5}
    assert not result.lost


@pytest.mark.parametrize(("second", "lost"), [(6, ((0, 2),)), (5, ())])
def test_merged_cells(second: int, lost: tuple[tuple[int, int], ...]) -> None:
    old = volume((1, 0, 0, 10, 10), (2, 0, 10, 10, 15))
    names, result = carry(old, {(0, 1): 5, (0, 2): second}, volume((3, 0, 0, 10, 15)))
    assert names == {(0, 3): 5}
    assert result.lost == lost
    assert len(result.moved) + len(result.lost) == 2


def test_labels_without_a_cell_are_reported() -> None:
    _, result = carry_labels(
        AnnotatedImage(None, CellTable.empty(), {(0, 4): 1}, 0), LabelVolume.of(volume((4, 0, 0, 5, 5)))
    )
    assert result.lost == ((0, 4),)


def test_no_labels_no_sentence() -> None:
    assert carry(volume((1, 0, 0, 5, 5)), {}, volume())[1].text == ""


def test_where_a_label_came_from_goes_along() -> None:
    old = volume((1, 0, 0, 10, 10))
    marks = Marks(*(np.array([n]) for n in (0, 1, 5, 2)))
    image = AnnotatedImage(LabelVolume.of(old), CellTable.from_labels(old), marks, 1)
    carried, result = carry_labels(image, LabelVolume.of(volume((3, 0, 0, 10, 10))))
    assert (carried.cell_id.tolist(), carried.class_id.tolist(), carried.origin.tolist()) == ([3], [5], [2])
    assert result.places == {(0, 1): (0, 0.0, 4.5, 4.5)}
    assert result.classes == {(0, 1): 5}


def drawn_on(labels: np.ndarray, *shapes: Drawn) -> AnnotatedImage:
    image = AnnotatedImage(LabelVolume.of(labels), CellTable.from_labels(labels), {}, 1)
    for shape in shapes:
        image.paint((drawn_cell(image, 1, 0, 0, shape, image.highest_id + 1),))
    return image


def test_hand_cells_come_back_on_a_new_segmentation_unless_it_has_them() -> None:
    here, there = disc(20.0, 20.0, 8.0), polygon([(28, 4), (36, 4), (30, 12)])
    image = drawn_on(volume((1, 0, 0, 10, 10)), here, there)
    after = LabelVolume.of(volume((2, 0, 0, 10, 10), (9, 15, 15, 26, 26)))
    changes, painted = carry_hand_cells(image, 1, after, 2, 9)
    assert [(c.version, c.touched) for c in changes] == [(2, [10])]
    assert image.labels is not None
    np.testing.assert_array_equal(np.asarray(painted) == 10, np.asarray(image.labels) == 3)
    assert not (np.asarray(after) == 10).any()


def test_cells_nobody_touched_are_not_hand_made() -> None:
    image = drawn_on(volume((1, 0, 0, 10, 10), (2, 20, 20, 30, 30)))
    changes, _ = carry_hand_cells(image, 1, LabelVolume.of(volume()), 2, 0)
    assert changes == ()


@pytest.mark.parametrize("side", [16, 64, 4096])
def test_the_same_heirs_in_blocks_of_any_side(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_over, "_SIDE", side)
    rng = np.random.default_rng(3)
    old = np.kron(np.arange(1, 65).reshape(8, 8), np.ones((12, 12), dtype=np.int64))[None, None]
    new = np.roll(np.where(old > 0, rng.permutation(65)[old], 0), (2, 3), axis=(2, 3))
    names, result = carry(old, {(0, n): 1 + n % 3 for n in range(1, 65)}, new)
    expected = {(0, int(new[0, 0, 12 * i + 6, 12 * j + 6])) for i in range(8) for j in range(8)} - {(0, 0)}
    assert names.keys() == expected
    assert len(result.moved) + len(result.kept) + len(result.lost) == 64
