"""Images larger than a screen, in resolutions; and images that take over each other's layers."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices
from napari.components import ViewerModel

from napari_cellstage.core import volumes
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.reading.planes import MemoryPlanes
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.session import Session
from napari_cellstage.ui import channel_layers, lazy_codes
from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.lazy_codes import CodeLevels
from napari_cellstage.ui.lazy_planes import LazyPlanes
from napari_cellstage.ui.pattern import Pattern
from napari_cellstage.ui.viewer_link import ViewerLink

SIDE = 300


@pytest.fixture
def small_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything over 200 pixels be large."""
    monkeypatch.setattr(lazy_codes, "LARGEST_SIDE", 200)
    monkeypatch.setattr(volumes, "_COARSEST", 100)


def grid(side: int = SIDE, first: int = 1) -> np.ndarray:
    """Squares of 20 pixels, one every 30."""
    labels = np.zeros((side, side), dtype=np.int32)
    places = [(y, x) for y in range(5, side - 25, 30) for x in range(5, side - 25, 30)]
    for number, (y, x) in enumerate(places, start=first):
        labels[y : y + 20, x : x + 20] = number
    return labels


def image(side: int = SIDE, name: str = "large", **details: object) -> ImageStack:
    pixels = (grid(side) > 0) * np.uint16(500) + np.arange(side, dtype=np.uint16) + np.uint16(len(name))
    return from_array(np.stack([pixels, pixels + len(name)]), "CYX", name, **details)


# ---- arrays that are read where napari looks


@given(basic_indices((3, 2, 9, 11), allow_newaxis=False))
@settings(deadline=None)
def test_lazy_planes_are_what_numpy_would_be(index: object) -> None:
    values = np.arange(3 * 2 * 9 * 11).reshape(3, 2, 9, 11)
    lazy = LazyPlanes(values.shape, (0, 1, 2, 3), lambda: values.dtype, lambda t, z, r, c: values[t, z, r, c])
    np.testing.assert_array_equal(np.asarray(lazy[index]), values[index])


def test_cutting_out_the_screen_reads_nothing_and_one_plane_reads_one_plane() -> None:
    read = []

    def plane(t: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        read.append((t, z, rows, columns))
        return np.zeros((rows.stop - rows.start, columns.stop - columns.start))

    part = LazyPlanes((5, 1, 100, 100), (0, 2, 3), lambda: np.dtype(float), plane)[:, 10:20, 30:50]
    assert part.shape == (5, 10, 20)
    assert read == []
    assert np.asarray(part[3]).shape == (10, 20)
    assert read == [(3, 0, slice(10, 20), slice(30, 50))]


@given(st.integers(0, 80), st.integers(1, 100), st.integers(0, 80), st.integers(1, 100), st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_a_part_is_drawn_as_it_is_in_the_whole(top: int, height: int, left: int, width: int, thick: int) -> None:
    labels = grid(100)
    planes = CellPlanes(LabelVolume.of(labels[None, None]), CellTable.from_labels(labels[None, None]))
    codes = (np.arange(len(planes.cells)) % 4 + 1).astype(np.uint8)
    pattern = Pattern(width=thick, thin=1, rim=2 if thick == 3 else 0, hatched=3)
    rows, columns = slice(top, min(top + height, 100)), slice(left, min(left + width, 100))
    part = CodeLevels(planes, codes, (2, 3), pattern).levels[0][rows, columns]
    np.testing.assert_array_equal(part, planes.draw(codes, 0, 0, pattern)[rows, columns])


@pytest.mark.usefixtures("small_screen")
def test_coarse_levels_show_every_second_pixel_and_no_veil_of_tiny_outlines() -> None:
    labels = grid()
    planes = CellPlanes(LabelVolume.of(labels[None, None]), CellTable.from_labels(labels[None, None]))
    codes = np.full(len(planes.cells), 1, dtype=np.uint8)
    codes[::2] = 5
    levels = CodeLevels(planes, codes, (2, 3), Pattern(width=2, thin=1)).levels
    assert [level.shape for level in levels] == [(300, 300), (150, 150), (75, 75)]
    coarsest = np.asarray(levels[2])
    assert set(np.unique(coarsest)) == {0, 5}  # 5 pixels across: filled, and those without a label are left out
    assert set(np.unique(np.asarray(levels[1]))) == {0, 1, 5}


# ---- the layers


@pytest.fixture
def session(tmp_path: Path) -> Session:
    one = Session(tmp_path)
    one.use_template("cell cycle")
    return one


@pytest.mark.usefixtures("small_screen")
def test_a_large_image_is_shown_in_resolutions_and_a_label_is_seen_in_all(session: Session) -> None:
    session.add_image(image())
    session.set_labels(grid())
    link = ViewerLink(ViewerModel(), session)
    channel, cells, overlay = (link.viewer.layers[name] for name in ("channel 0", "Cells", "Labelled"))
    assert channel.multiscale
    assert cells.multiscale
    assert [level.shape for level in overlay.data] == [(300, 300), (150, 150), (75, 75)]
    row = session.cell_at(0, 0, 40, 40)
    session.label_cells([row], session.scheme.ids[2])
    for level, data in enumerate(overlay.data):
        assert np.asarray(data)[36 >> level, 36 >> level] != np.asarray(data)[6 >> level, 6 >> level]
    np.testing.assert_array_equal(np.asarray(cells.data[1]), grid()[::2, ::2])
    link.close()


@pytest.mark.usefixtures("small_screen")
def test_the_pyramid_of_the_file_is_used(session: Session) -> None:
    coarse = da.full((1, 2, 1, 150, 150), 3, dtype=np.uint16)
    session.add_image(image(pyramid=(coarse,)))
    link = ViewerLink(ViewerModel(), session)
    layer = link.viewer.layers["channel 0"]
    assert [level.shape for level in layer.data] == [(300, 300), (150, 150)]
    assert np.asarray(layer.data[1]).max() == 3
    link.close()


@pytest.mark.usefixtures("small_screen")
def test_the_coarsest_level_of_an_image_without_a_pyramid_is_computed_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_layers, "SCREEN", 100)
    session.add_image(image())
    link = ViewerLink(ViewerModel(), session)
    layer, read = link.viewer.layers["channel 0"], []
    wanted = np.asarray(image().data[0, 0, 0])[40:160:4, ::4]
    original = MemoryPlanes.read
    monkeypatch.setattr(MemoryPlanes, "read", lambda one, at: read.append(at) or original(one, at))
    assert [level.shape for level in layer.data] == [(300, 300), (150, 150), (75, 75)]
    shown = [np.asarray(layer.data[2][10 * place : 40]) for place in range(3)]
    np.testing.assert_array_equal(shown[1], wanted)
    assert len(read) <= 1
    link.close()


@pytest.mark.usefixtures("small_screen")
def test_time_points_of_a_large_image_are_drawn_one_by_one(session: Session) -> None:
    labels = np.stack([grid(), np.roll(grid(), 3, axis=0)])[:, None]
    session.add_image(from_array(np.zeros((2, SIDE, SIDE)), "TYX", "movie", time_step_s=30.0))
    session.set_labels(labels)
    link = ViewerLink(ViewerModel(), session)
    overlay = link.viewer.layers["Labelled"]
    assert [level.shape for level in overlay.data] == [(2, 300, 300), (2, 150, 150), (2, 75, 75)]
    link.viewer.dims.set_current_step(0, 1)
    assert float(link.viewer.dims.point[0]) == 30.0
    link.close()


def test_the_next_image_takes_over_the_layers(session: Session) -> None:
    link = ViewerLink(ViewerModel(), session)
    first = session.add_image(image(name="first"))
    session.set_labels(grid())
    predict(session)
    layers = list(link.viewer.layers)
    link.viewer.layers["channel 1"].visible = True
    link.viewer.scene.camera.zoom = 7.0
    other = image(name="two", pixel_size_um=(1.0, 0.5, 0.5))
    session.add_image(other)
    assert [layer.name for layer in link.viewer.layers] == ["channel 0", "channel 1"]
    session.set_labels(np.roll(grid(), 9, axis=1))
    predict(session)
    session.set_current(first)
    assert [layer.name for layer in link.viewer.layers] == [layer.name for layer in layers]
    np.testing.assert_array_equal(link.viewer.layers["Cells"].data, grid())
    again = list(link.viewer.layers)
    session.go_to_image(1)
    assert list(link.viewer.layers) == again
    assert link.viewer.layers["channel 1"].visible
    np.testing.assert_array_equal(link.viewer.layers["channel 0"].data, np.asarray(other.data[0, 0, 0]))
    np.testing.assert_array_equal(link.viewer.layers["Cells"].data, np.roll(grid(), 9, axis=1))
    for layer in link.viewer.layers:
        assert layer.scale.tolist() == [0.5, 0.5]
        assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    drawn = link.viewer.layers["Labelled"].data > 0
    np.testing.assert_array_equal(drawn & (np.roll(grid(), 9, axis=1) == 0), False)
    link.close()


def test_going_on_at_the_same_size_keeps_the_zoom(session: Session) -> None:
    link = ViewerLink(ViewerModel(), session)
    first = session.add_image(image(name="first"))
    session.add_image(image(name="two"))
    link.viewer.scene.camera.zoom = 7.0
    session.set_current(first)
    assert link.viewer.scene.camera.zoom == 7.0
    session.add_image(image(side=150, name="small"))
    assert link.viewer.scene.camera.zoom != 7.0
    link.close()


def test_an_image_of_another_kind_gets_layers_of_its_own(session: Session) -> None:
    link = ViewerLink(ViewerModel(), session)
    first = session.add_image(image())
    session.set_labels(grid())
    session.add_image(from_array(np.zeros((3, 40, 50), np.uint8), "TYX", "movie"))
    assert [layer.name for layer in link.viewer.layers] == ["movie"]
    session.set_current(first)
    assert [layer.name for layer in link.viewer.layers] == ["channel 0", "channel 1", "Cells", "Labelled"]
    link.close()


def predict(session: Session) -> None:
    count, ids = len(session.cells()), session.scheme.ids
    chances = np.random.default_rng(0).dirichlet(np.full(len(ids), 0.3), count).astype(np.float32)
    answer = Predictions(chances, ids, np.zeros(count, dtype=np.uint8))
    assert session.set_predictions({session.current_id or 0: answer}, session.snapshot().version)
