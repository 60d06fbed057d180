"""A new segmentation: labels and hand-drawn cells go where their cells are, and what has no place is named."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.annotations import AnnotatedImage, DrawnCell
from napari_cellstage.core.carry_over import carry_labels
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.drawn import draw, erase, redraw


def volume(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    labels = np.zeros((1, 1, 40, 40), dtype=np.int32)
    for cell_id, y0, x0, y1, x1 in boxes:
        labels[0, 0, y0:y1, x0:x1] = cell_id
    return labels


def carry(old: np.ndarray, names: dict[tuple[int, int], int], new: np.ndarray):  # type: ignore[no-untyped-def]
    return carry_labels(AnnotatedImage(old, CellTable.from_labels(old), names, 1), new)


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
    _, result = carry_labels(AnnotatedImage(None, CellTable.empty(), {(0, 4): 1}, 0), volume((4, 0, 0, 5, 5)))
    assert result.lost == ((0, 4),)


def test_no_labels_no_sentence() -> None:
    assert carry(volume((1, 0, 0, 5, 5)), {}, volume())[1].text == ""


def test_drawn_cells_are_measured_like_any_other() -> None:
    labels = volume((1, 0, 0, 10, 10))
    cells = CellTable.from_labels(labels)
    cell = DrawnCell(2, 0, 0, 10.2, 12.7, 9.0)
    with_it = draw(labels, cells, cell)
    fresh = CellTable.from_labels(labels)
    for name in ("cell_id", "t", "z", "y", "x", "bbox", "area", "at_border"):
        np.testing.assert_allclose(getattr(with_it, name), getattr(fresh, name))
    back = erase(labels, with_it, cell)
    np.testing.assert_array_equal(labels, volume((1, 0, 0, 10, 10)))
    np.testing.assert_array_equal(back.cell_id, cells.cell_id)


def test_a_drawn_cell_at_the_edge_says_so() -> None:
    labels = volume()
    cells = draw(labels, CellTable.empty(), DrawnCell(1, 0, 0, 0.0, 39.0, 12.0))
    assert cells.at_border.tolist() == [True]
    assert cells.at_border.tolist() == CellTable.from_labels(labels).at_border.tolist()


def test_drawn_cells_come_back_on_a_new_segmentation_unless_it_has_them() -> None:
    before = volume((1, 0, 0, 10, 10))
    here, there = DrawnCell(2, 0, 0, 20.0, 20.0, 8.0), DrawnCell(3, 0, 0, 32.0, 8.0, 8.0)
    cells = draw(before, CellTable.from_labels(before), here)
    draw(before, cells, there)
    after = volume((2, 0, 0, 10, 10), (9, 15, 15, 26, 26))
    again, redrawn = redraw([here, there], before, after)
    assert [(c.cell_id, c.y, c.x) for c in again] == [(10, 32.0, 8.0)]
    assert redrawn[0, 0, 32, 8] == 10
    assert after[0, 0, 32, 8] == 0
