"""From one code a cell to one a pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cellstage.core.cells import CellTable
from napari_cellstage.ui import cell_planes
from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.lazy_codes import LazyCodes
from napari_cellstage.ui.pattern import Pattern

FILLED = Pattern()


def codes_of(cells: CellTable) -> np.ndarray:
    return (np.arange(len(cells)) % 250 + 1).astype(np.uint8)


def expected(labels: np.ndarray, cells: CellTable, codes: np.ndarray) -> np.ndarray:
    out = np.zeros(labels.shape, dtype=codes.dtype)
    for t, cell_id, code in zip(cells.t, cells.cell_id, codes, strict=True):
        out[t][labels[t] == cell_id] = code
    return out


label_volumes = arrays(np.int32, (2, 2, 6, 70), elements=st.sampled_from([0, 0, 1, 2, 5, 9]))


@settings(max_examples=40, deadline=None)
@given(label_volumes, st.booleans())
def test_every_pixel_gets_the_code_of_its_cell(labels: np.ndarray, sparse: bool) -> None:
    labels = np.where(labels > 0, labels.astype(np.int64) * (10**9 if sparse else 1), 0)
    cells = CellTable.from_labels(labels)
    codes = codes_of(cells)
    planes = CellPlanes(labels, cells)
    lazy = LazyCodes(planes, codes, (0, 1, 2, 3), FILLED)
    assert np.array_equal(np.asarray(lazy), expected(labels, cells, codes))
    assert np.array_equal(lazy[1, 0], expected(labels, cells, codes)[1, 0])
    assert np.array_equal(lazy[1, :, 2:5, 3], expected(labels, cells, codes)[1, :, 2:5, 3])


def test_labels_without_a_row_draw_nothing() -> None:
    labels = np.array([[[[1, 2, 3, 0]]]], dtype=np.int32)
    cells = CellTable.from_labels(labels).take(np.array([0, 1]))
    drawn = CellPlanes(labels, cells).draw(np.array([4, 5], dtype=np.uint8), 0, 0, FILLED)
    assert drawn.tolist() == [[4, 5, 0, 0]]


def test_one_cell_is_drawn_as_in_the_whole_plane() -> None:
    rng = np.random.default_rng(1)
    labels = np.kron(rng.integers(0, 9, (1, 1, 6, 6)), np.ones((1, 1, 9, 11), dtype=int)).astype(np.int32)
    cells = CellTable.from_labels(labels)
    codes = codes_of(cells)
    planes = CellPlanes(labels, cells)
    pattern = Pattern(width=3, thin=2, rim=1, hatched=4, period=6)
    whole = planes.draw(codes, 0, 0, pattern)
    for row in range(len(cells)):
        ys, xs, values = planes.draw_cell(row, codes[row], 0, pattern)
        assert np.array_equal(values, whole[ys, xs])
        assert len(ys) == cells.area[row]


def test_drawing_into_an_array_fills_that_array() -> None:
    labels = np.ones((1, 1, 100, 7), dtype=np.int32)
    out = np.zeros((100, 7), dtype=np.uint8)
    made = CellPlanes(labels, CellTable.from_labels(labels)).draw(np.array([3], dtype=np.uint8), 0, 0, FILLED, out=out)
    assert made is out
    assert (out == 3).all()


def test_a_frame_without_cells_is_empty() -> None:
    labels = np.zeros((2, 1, 3, 3), dtype=np.int32)
    labels[0] = 1
    lazy = LazyCodes(
        CellPlanes(labels, CellTable.from_labels(labels)), np.array([9], dtype=np.uint8), (0, 2, 3), FILLED
    )
    assert lazy.shape == (2, 3, 3)
    assert not lazy[1].any()
    assert (lazy[0] == 9).all()


def test_a_stack_is_computed_for_the_plane_asked_for_only(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.ones((5, 4, 3, 3), dtype=np.int32)
    planes = CellPlanes(labels, CellTable.from_labels(labels))
    asked: list[tuple[int, int]] = []
    draw = planes.draw
    monkeypatch.setattr(planes, "draw", lambda codes, t, z, pattern: asked.append((t, z)) or draw(codes, t, z, pattern))
    lazy = LazyCodes(planes, np.arange(1, 6, dtype=np.uint8), (0, 1, 2, 3), FILLED)
    assert (lazy[3, 2] == 4).all()
    assert asked == [(3, 2)]


def test_only_a_few_outlines_are_kept() -> None:
    labels = np.ones((40, 1, 3, 3), dtype=np.int32)
    planes = CellPlanes(labels, CellTable.from_labels(labels))
    np.asarray(LazyCodes(planes, np.ones(40, dtype=np.uint8), (0, 2, 3), Pattern(width=2)))
    assert len(planes._outlines) <= cell_planes.OUTLINES_KEPT
