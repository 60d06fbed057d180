"""Where the network looks, upon crops and in the viewer: at the right place, and gone when it is switched off."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QRectF
from qtpy.QtGui import QImage, QPainter

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.learn.attention import Attention
from napari_cellstage.ui.attention_layer import NAME, AttentionLayer, painted
from napari_cellstage.ui.overlay_layer import Placement
from napari_cellstage.ui.review import attention_part
from napari_cellstage.ui.review.attention_part import NO_MODEL, AttentionPart, silent_text
from napari_cellstage.ui.workers import JobRunner


def maps(cells: CellRefs, window=(10.0, 20.0, 16.0, 16.0)) -> Attention:
    """One bright spot in the lower right quarter."""
    count = len(cells)
    heat = np.zeros((count, 8, 8), dtype=np.float32)
    heat[:, 6, 6] = 1
    return Attention(cells, heat, np.ones(count, np.int64), np.tile(np.array(window), (count, 1)), np.zeros(count))


@pytest.fixture
def asked(session, monkeypatch):
    """Stand in for the model: notes what was asked."""
    heard = []

    def looking(folder, _work, cells, classes):
        def look(_should_stop):
            yield from ()
            heard.append((folder.name, cells.cell_id.tolist(), classes.tolist()))
            if folder.name == "broken":
                raise CellStageError("The model can't look.")
            return maps(cells)

        return look

    monkeypatch.setattr(attention_part, "_looking", looking)
    return heard


@pytest.fixture
def part(qtbot, session, asked):
    cells = CellRefs.of(1, session.cells()).take(slice(3))
    made = AttentionPart(session, JobRunner(), lambda: (cells, np.array([1, 2, 3]), made.run_wanted))
    made.run_wanted = "run"
    qtbot.addWidget(made.note)
    qtbot.addWidget(made.silent)
    yield made
    made.close_link()


def test_maps_are_computed_once_and_told_to_the_viewer_for_chosen_cells(qtbot, part, session, asked):
    told = []
    part.explained.connect(told.append)
    session.choose(CellRefs.of(1, session.cells()).take([1]))
    with qtbot.waitSignal(part.explained, check_params_cb=lambda one: len(one) == 1, timeout=20_000):
        part.button.setChecked(True)
    part.follow()
    qtbot.wait(400)
    assert asked == [("run", [1, 2, 3], [1, 2, 3])]
    assert told[-1].cells.cell_id.tolist() == [2]
    part.button.setChecked(False)
    assert len(told[-1]) == 0


def test_a_map_is_painted_where_the_network_saw_it(qtbot, part, session):
    with qtbot.waitSignal(part.explained, timeout=20_000):
        part.button.setChecked(True)
    qtbot.waitUntil(lambda: bool(part._maps), timeout=20_000)
    canvas = QImage(64, 64, QImage.Format.Format_RGB32)
    canvas.fill(0)
    painter = QPainter(canvas)
    # The crop shows 32 x 32 pixels, of which the network saw 16 x 16, begun 8 further down and to the right.
    part.paint(painter, QRectF(0, 0, 64, 64), (1, 0, 1), (2.0, 12.0, 32.0, 32.0))
    painter.end()
    light = np.array([[canvas.pixelColor(x, y).lightness() for x in range(64)] for y in range(64)])
    y, x = np.unravel_index(light.argmax(), light.shape)
    assert abs(y - (16 + 6.5 * 4)) <= 3
    assert abs(x - (16 + 6.5 * 4)) <= 3
    assert not light[:16].any()


def test_without_a_model_and_with_a_broken_one_it_says_so(qtbot, part):
    part.run_wanted = ""
    part.button.setChecked(True)
    qtbot.waitUntil(lambda: part.note.text() == NO_MODEL, timeout=20_000)
    part.button.setChecked(False)
    part.run_wanted = "broken"
    part.button.setChecked(True)
    qtbot.waitUntil(lambda: part.note.text() == "The model can't look.", timeout=20_000)
    assert not part.on


def test_cells_in_which_nothing_speaks_for_the_class_are_counted(session):
    found = maps(CellRefs.of(1, session.cells()).take(slice(3)))
    assert silent_text(found) == ""
    found.maps[1] = 0
    assert silent_text(found) == "In 1 of 3 cells nothing speaks for the predicted class."
    assert silent_text(Attention()) == ""


def layer_of(session, placement) -> tuple[ViewerModel, AttentionLayer]:
    viewer = ViewerModel()
    return viewer, AttentionLayer(viewer, session, lambda: placement)


def test_the_layer_lies_where_the_crop_was_cut_in_the_world(session):
    viewer, made = layer_of(session, Placement((2, 3), {"scale": [0.5, 0.5], "translate": [100.0, 0.0]}))
    made.show(maps(CellRefs.of(1, session.cells()).take([0])))
    layer = viewer.layers[NAME]

    assert layer.blending == "additive"
    y, x = np.unravel_index(layer.data.argmax(), layer.data.shape)
    world = layer.data_to_world((y, x))
    # Map pixel 6 of 8 lies 6.5 / 8 of 16 image pixels from the window's edge.
    assert world == pytest.approx((100 + 0.5 * (10 + 13), 0.5 * (20 + 13)), abs=0.5)
    made.show(Attention())
    assert NAME not in viewer.layers
    made.close()


def test_in_a_movie_it_is_seen_in_its_own_frame_only(make_session):
    session = make_session((3, 2, 40, 50))
    _, made = layer_of(session, Placement((0, 1, 2, 3), {"scale": [1.0, 1.0, 1.0, 1.0]}))
    cells = CellRefs(np.array([1, 1, 7]), np.array([2, 0, 0]), np.array([1, 1, 1]))
    made.show(maps(cells))
    assert made.layer.data.shape == (1, 1, 16, 16)
    assert made.layer.translate.tolist() == [2, 0, 10, 20]
    made._on_wanted(1, 0, 1)
    assert made.layer.translate.tolist() == [0, 0, 10, 20]
    made.close()


@pytest.mark.parametrize("side", [4.0, 16.0, 37.5])
def test_maps_of_any_magnification_are_brought_to_the_pixels_of_the_image(side):
    cells = CellRefs(np.array([1, 1]), np.array([0, 0]), np.array([1, 2]))
    found = maps(cells, window=(-3.0, 5.0, side, side))
    found.windows[1] += [40, 10, 0, 0]
    heat, top, left = painted(found)

    assert (top, left) == (-3, 5)
    assert heat.shape[0] == pytest.approx(40 + side, abs=1)
    assert heat[:40].max() == pytest.approx(heat[40:].max(), abs=0.2)
    assert 0 < heat.max() <= 1
