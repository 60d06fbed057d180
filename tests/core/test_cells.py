from __future__ import annotations

from dataclasses import fields

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import regionprops

from napari_cellstage.core.cells import DEFAULT_DIAMETER, CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.measuring import CellMeasures
from napari_cellstage.core.volumes import blocks_of


def field() -> np.ndarray:
    labels = np.zeros((2, 1, 20, 30), dtype=np.int32)
    labels[0, 0, 5:9, 10:16] = 7
    labels[0, 0, 0:3, 20:24] = 2
    labels[1, 0, 12:15, 26:30] = 7
    return labels


def test_one_row_a_cell_sorted_by_time_then_id() -> None:
    cells = CellTable.from_labels(field())
    assert cells.t.tolist() == [0, 0, 1]
    assert cells.cell_id.tolist() == [2, 7, 7]
    assert cells.area.tolist() == [12, 24, 12]
    assert (cells.y[1], cells.x[1], cells.z[1]) == (6.5, 12.5, 0)
    assert cells.bbox[1].tolist() == [0, 5, 10, 1, 9, 16]


def test_border_cells_are_known() -> None:
    assert CellTable.from_labels(field()).at_border.tolist() == [True, False, True]


def test_every_edge_of_the_plane_is_a_border_but_none_in_z() -> None:
    labels = np.zeros((1, 2, 9, 9), dtype=np.uint8)
    for cell_id, where in enumerate(((0, 4), (8, 4), (4, 0), (4, 8), (4, 4)), start=1):
        labels[0, 0][where] = cell_id
    assert CellTable.from_labels(labels).at_border.tolist() == [True, True, True, True, False]


def test_a_cell_in_pieces_is_one_cell() -> None:
    labels = np.zeros((1, 1, 10, 10), dtype=np.int64)
    labels[0, 0, 1, 1] = labels[0, 0, 1, 7] = 3
    cells = CellTable.from_labels(labels)
    assert (len(cells), cells.area[0], cells.x[0]) == (1, 2, 4.0)


def test_huge_sparse_label_values_stay_what_they_are() -> None:
    labels = np.zeros((1, 1, 4, 4), dtype=np.uint32)
    labels[0, 0, 0, 0], labels[0, 0, 2, 2] = 4_000_000_000, 5
    assert CellTable.from_labels(labels).cell_id.tolist() == [5, 4_000_000_000]


def test_lazy_labels_are_read_plane_by_plane() -> None:
    lazy = da.from_array(field(), chunks=(1, 1, 20, 30))
    np.testing.assert_array_equal(CellTable.from_labels(lazy).bbox, CellTable.from_labels(field()).bbox)


def test_no_cells_gives_an_empty_table_of_the_same_types() -> None:
    empty, full = CellTable.from_labels(np.zeros((3, 1, 5, 5), dtype=np.int32)), CellTable.from_labels(field())
    assert len(empty) == len(CellTable.empty()) == 0
    assert empty.bbox.shape == (0, 6)
    assert [empty.cell_id.dtype, empty.t.dtype, empty.y.dtype] == [full.cell_id.dtype, full.t.dtype, full.y.dtype]
    assert empty.typical_diameter == DEFAULT_DIAMETER


def test_labels_without_four_axes_are_refused_with_their_shape() -> None:
    with pytest.raises(CellsError, match=r"shape \(20, 30\).*four axes"):
        CellTable.from_labels(field()[0, 0])


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.int32,
        st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)),
        elements=st.sampled_from([0, 0, 1, 2, 9]),
    )
)
def test_measures_agree_with_scikit_image(labels: np.ndarray) -> None:
    cells = CellTable.from_labels(labels)
    expected = [(t, region) for t in range(len(labels)) for region in regionprops(labels[t])]
    assert len(cells) == len(expected)
    for row, (t, region) in enumerate(expected):
        assert cells.row(t, region.label) == row
        np.testing.assert_allclose((cells.z[row], cells.y[row], cells.x[row]), region.centroid, atol=1e-9)
        assert (tuple(cells.bbox[row]), cells.area[row]) == (region.bbox, region.num_pixels)


def test_take_and_append_keep_every_column_together() -> None:
    cells = CellTable.from_labels(field())
    both = cells.take(np.array([2])).append(cells.take(np.array([0, 1])))
    assert list(zip(both.t.tolist(), both.cell_id.tolist(), strict=True)) == [(1, 7), (0, 2), (0, 7)]
    assert both.row(0, 7) == 2
    assert both.row(1, 2) is None


def test_typical_diameter_is_that_of_the_median_disc_or_ball() -> None:
    y, x = np.ogrid[-15:16, -15:16]
    disc = (y**2 + x**2 <= 100).astype(np.uint8)[None, None]
    assert CellTable.from_labels(disc).typical_diameter == pytest.approx(20, rel=0.03)
    z = np.arange(-15, 16)[:, None, None]
    ball = (z**2 + y**2 + x**2 <= 100).astype(np.uint8)[None]
    assert CellTable.from_labels(ball).typical_diameter == pytest.approx(20, rel=0.03)


def test_frame_has_the_columns_of_the_predictions_table() -> None:
    frame = CellTable.from_labels(field()).to_frame()
    assert list(frame.columns) == ["cell_id", "t", "z", "y", "x", "area", "at_border"]
    assert frame["area"].tolist() == [12, 24, 12]


@given(hnp.arrays(np.int16, (2, 2, 12, 17), elements=st.integers(-1, 4)), st.integers(3, 9))
@settings(max_examples=40, deadline=None)
def test_measured_in_blocks_it_is_the_same_table(labels: np.ndarray, side: int) -> None:
    measures = CellMeasures()
    for t, z, rows, columns in blocks_of(labels.shape, side):
        measures.add(t, (z, rows.start, columns.start), labels[t, z, rows, columns][None])
    assert_same(CellTable(**measures.columns(labels.shape[2:])), CellTable.from_labels(labels))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_measuring_what_was_painted_is_as_measuring_all(data: st.DataObject) -> None:
    before = data.draw(hnp.arrays(np.int16, (2, 2, 9, 11), elements=st.integers(0, 5)))
    cells = CellTable.from_labels(before)
    order = data.draw(st.permutations(range(len(cells))))
    cells = cells.take(np.array(order, dtype=np.int64))
    t, z0, y0, x0 = (data.draw(st.integers(0, n - 1)) for n in before.shape)
    z1, y1, x1 = (data.draw(st.integers(a + 1, n)) for a, n in zip((z0, y0, x0), before.shape[1:], strict=True))
    after = before.copy()
    after[t, z0:z1, y0:y1, x0:x1] = data.draw(st.integers(0, 7))
    changed = set(before[before != after].tolist()) | set(after[before != after].tolist())
    found = cells.remeasured(after, t, changed - {0}, (z0, y0, x0, z1, y1, x1))
    truth = CellTable.from_labels(after)
    rows = [truth.row(*name) for name in zip(found.t.tolist(), found.cell_id.tolist(), strict=True)]
    assert len(found) == len(truth)
    assert_same(found, truth.take(np.array(rows, dtype=np.int64)))
    kept = [name for name in zip(cells.t.tolist(), cells.cell_id.tolist(), strict=True) if truth.row(*name) is not None]
    assert list(zip(found.t.tolist(), found.cell_id.tolist(), strict=True))[: len(kept)] == kept


def assert_same(one: CellTable, other: CellTable) -> None:
    for field_ in fields(CellTable):
        np.testing.assert_array_equal(getattr(one, field_.name), getattr(other, field_.name), err_msg=field_.name)
        assert getattr(one, field_.name).dtype == getattr(other, field_.name).dtype
