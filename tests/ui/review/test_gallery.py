"""The gallery: filled, sorted, chosen and relabelled; one selection with the rest of the window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.images import from_array
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.ui.review.crop_looks import GONE
from napari_cellstage.ui.review.gallery import NONE_LEFT, NOTHING_YET, Gallery
from napari_cellstage.ui.review.gallery_menu import ClassChooser
from napari_cellstage.ui.review.tile_words import marks_of, tip_of
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner


@pytest.fixture
def gallery(qtbot, session, predict):
    predict(session)
    theme = PanelTheme(ViewerModel())
    made = Gallery(session, JobRunner(), theme)
    qtbot.addWidget(made)
    made.resize(500, 500)
    made.show()
    yield made
    made.close_link()
    theme.close_link()


def everything(session) -> CellRefs:
    return CellRefs.joined(CellRefs.of(one.image_id, session.cells(one.image_id)) for one in session.images)


def fill(qtbot, gallery, cells=None, title="some cells", order="") -> None:
    gallery.session.show_cells(everything(gallery.session) if cells is None else cells, title, order)
    qtbot.waitUntil(lambda: not gallery.reader.busy and read(gallery), timeout=60_000)


def read(gallery) -> bool:
    return all(gallery.reader.picture(gallery.shown.name(place)) is not None for place in gallery.grid.seen)


def click(qtbot, gallery, place, modifier=Qt.KeyboardModifier.NoModifier, double=False):
    act = qtbot.mouseDClick if double else qtbot.mouseClick
    act(gallery.grid.viewport(), Qt.MouseButton.LeftButton, modifier, gallery.grid.rect_of(place).center())


def press(qtbot, gallery, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(gallery.grid, key, modifier)


def chosen(gallery) -> list[int]:
    return gallery.session.chosen.cell_id.tolist()


def test_it_says_what_to_do_while_nothing_is_shown_and_when_nothing_is_left(gallery, session):
    assert gallery.grid.note == NOTHING_YET
    session.show_cells(CellRefs(), "metaphase, predicted as anaphase")
    assert gallery.grid.note == NONE_LEFT
    assert gallery.head.title.text() == "metaphase, predicted as anaphase · 0 cells"
    assert not gallery.grab().isNull()


def test_cells_are_sorted_as_asked_and_again_by_hand(qtbot, gallery):
    fill(qtbot, gallery, order="confidence")
    assert gallery.head.order.currentText() == "by confidence"
    assert (np.diff(gallery.shown.table.confidence) >= 0).all()
    assert gallery.head.title.text() == "some cells · 12 cells"
    gallery.head._on_order(gallery.head.order.findData("class"))
    assert gallery.shown.table.predicted.tolist() == sorted(gallery.shown.table.predicted.tolist())


def test_clicks_and_keys_choose_for_the_whole_window_without_an_echo(qtbot, gallery, session):
    fill(qtbot, gallery)
    heard = []
    session.chosen_changed.connect(lambda cells: heard.append(len(cells)))
    click(qtbot, gallery, 2)
    click(qtbot, gallery, 4, Qt.KeyboardModifier.ControlModifier)
    assert chosen(gallery) == [3, 5]
    click(qtbot, gallery, 6, Qt.KeyboardModifier.ShiftModifier)
    assert chosen(gallery) == [5, 6, 7]
    press(qtbot, gallery, Qt.Key.Key_Left)
    assert chosen(gallery) == [6]
    press(qtbot, gallery, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(qtbot, gallery, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    press(qtbot, gallery, Qt.Key.Key_Escape)
    assert heard == [1, 2, 3, 1, 2, 12, 0]


def test_a_band_chooses_what_it_touches_and_others_hear_of_it_once(qtbot, gallery, session):
    fill(qtbot, gallery)
    heard = []
    session.chosen_changed.connect(lambda cells: heard.append(cells.cell_id.tolist()))
    view = gallery.grid.viewport()
    end = gallery.grid.rect_of(1).center()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    for share in (0.3, 0.7, 1.0):
        point = QPointF(2 + (end.x() - 2) * share, 2 + (end.y() - 2) * share)
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        move = QMouseEvent(QEvent.Type.MouseMove, point, QPointF(view.mapToGlobal(point.toPoint())), left, left, none)
        QApplication.sendEvent(view, move)
    assert np.flatnonzero(gallery.grid.picks.mask).tolist() == [0, 1]
    assert heard == []
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert heard == [[1, 2]]


def test_cells_that_are_chosen_elsewhere_are_marked_and_scrolled_to(qtbot, gallery, session):
    gallery.resize(260, 260)
    fill(qtbot, gallery)
    heard = []
    session.chosen_changed.connect(heard.append)
    session.choose(everything(session).take([11]))
    assert np.flatnonzero(gallery.grid.picks.mask).tolist() == [11]
    assert 11 in gallery.grid.seen
    assert len(heard) == 1
    assert gallery.head.title.text().endswith("1 chosen")


def test_number_keys_relabel_in_place_undo_and_clear(qtbot, gallery, session):
    fill(qtbot, gallery, order="confidence")
    before = gallery.shown.cells
    click(qtbot, gallery, 1)
    click(qtbot, gallery, 3, Qt.KeyboardModifier.ControlModifier)
    press(qtbot, gallery, Qt.Key.Key_2)
    assert gallery.shown.label[[1, 3]].tolist() == [2, 2]
    assert session.origins()[session.rows_of(session.chosen)].tolist() == ["review", "review"]
    assert marks_of(gallery.shown, 1) == ("*",)
    press(qtbot, gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not gallery.shown.label.any()
    press(qtbot, gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert gallery.shown.label[[1, 3]].tolist() == [2, 2]
    press(qtbot, gallery, Qt.Key.Key_0)
    assert not gallery.shown.label.any()
    assert gallery.shown.cells == before


def test_enter_makes_predictions_labels_that_say_so_and_one_undo_takes_them_back(qtbot, gallery, session):
    fill(qtbot, gallery)
    press(qtbot, gallery, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    press(qtbot, gallery, Qt.Key.Key_Return)
    assert gallery.shown.label.tolist() == gallery.shown.table.predicted.tolist()
    assert set(session.origins()) == {"accepted"}
    assert marks_of(gallery.shown, 0) == ("*", "✓")
    press(qtbot, gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not session.class_ids().any()


def test_what_was_predicted_stays_in_sight_after_a_label_was_given(qtbot, gallery, session):
    fill(qtbot, gallery)
    predicted = gallery.shown.table.predicted.copy()
    click(qtbot, gallery, 0)
    press(qtbot, gallery, Qt.Key.Key_3)
    gallery._refresh()
    assert session.review_table().predicted[0] == 0
    assert gallery.shown.table.predicted.tolist() == predicted.tolist()
    assert gallery.shown.label[0] == 3


def test_a_double_click_and_space_go_to_the_cell(qtbot, gallery, session):
    fill(qtbot, gallery)
    went = []
    session.cell_wanted.connect(lambda *cell: went.append(cell))
    click(qtbot, gallery, 4, double=True)
    press(qtbot, gallery, Qt.Key.Key_Home)
    press(qtbot, gallery, Qt.Key.Key_Space)
    assert went == [(1, 0, 5), (1, 0, 1)]


def test_cells_that_vanish_leave_the_gallery(qtbot, gallery, session):
    fill(qtbot, gallery)
    session.delete_cells([0, 5])
    assert gallery.shown.cells.cell_id.tolist() == [2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    qtbot.waitUntil(lambda: not gallery.reader.busy, timeout=20_000)
    session.undo()
    session.remove_images([1])
    assert len(gallery.shown) == 0
    assert not gallery.grab().isNull()


def test_an_image_whose_file_is_gone_says_so_on_the_tile(qtbot, gallery, session, tmp_path):
    import tifffile

    from napari_cellstage.core.images import open_image

    file = tmp_path / "one.tif"
    tifffile.imwrite(file, np.random.default_rng(1).integers(0, 99, (40, 50)).astype(np.uint16))
    image_id = session.add_image(open_image(file))
    labels = np.zeros((40, 50), dtype=np.int32)
    labels[5:12, 5:12] = 7
    session.set_labels(labels)
    folder = session.project.folder
    session.close()
    file.unlink()
    session.open_project(folder)
    cells = CellRefs(np.array([image_id]), np.array([0]), np.array([7]))
    fill(qtbot, gallery, cells)
    assert gallery.reader.picture((image_id, 0, 7)).problem == GONE
    assert not gallery.grab().isNull()


def test_a_tip_says_all_and_is_harmless_whatever_the_class_is_called(qtbot, gallery, session):
    session.rename_class(1, "<img src=x>&")
    fill(qtbot, gallery)
    session.label_cells([0], 1)
    text = tip_of(session, gallery.shown, 0)
    assert text.splitlines()[0].startswith("field, cell 1<br>label: &lt;img src=x&gt;&amp;<br>predicted: &lt;img")
    assert ", 40 %<br>second: " in text
    assert "* label changed since the gallery was filled" in text


def test_the_menu_names_all_classes_and_chooses_alike_cells(qtbot, gallery, session):
    for number in range(6):
        session.add_class(f"more & {number}")
    fill(qtbot, gallery)
    click(qtbot, gallery, 1)
    menu = gallery.menu.made()
    texts = {one.text().split("\t")[0]: one for one in menu.actions()}
    labels = {one.text(): one for one in texts["Label as"].menu().actions()}
    assert len(labels) == 12
    labels["more && 5"].trigger()
    assert session.class_ids()[1] == session.scheme.by_name("more & 5").id
    texts["Choose all with this prediction"].trigger()
    assert chosen(gallery) == [2, 8]
    assert not texts["Go to the cell"].menu()
    menu.deleteLater()


def test_many_classes_are_chosen_from_a_list_that_typing_narrows_down(qtbot, gallery, session):
    scheme = ClassScheme.from_names([f"class {number}" for number in range(200)])
    box = ClassChooser(scheme)
    qtbot.addWidget(box)
    assert box.class_id == 1
    box.filter.setText("SS 137")
    assert scheme.by_id(box.class_id).name == "class 137"
    box.filter.setText("nothing like it")
    assert box.class_id == 0


def test_sizes_and_outlines_can_be_chosen_and_the_first_cell_stays_in_sight(qtbot, gallery):
    gallery.resize(260, 200)
    fill(qtbot, gallery)
    gallery.grid.scroll_to(8)
    first = gallery.grid.seen.start
    for place in range(gallery.head.side.count()):
        gallery.head.side.setCurrentIndex(place)
        gallery.head.side.activated.emit(place)
        gallery.head.outline.toggle()
        assert first in gallery.grid.seen or gallery.grid.seen.start <= first
        assert not gallery.grab().isNull()


def test_thousands_of_cells_are_painted_as_they_come_into_sight(qtbot, gallery, session):
    count = 40
    labels = np.kron(np.arange(1, count**2 + 1).reshape(count, count), np.pad(np.ones((6, 6), int), 1))
    pixels = np.random.default_rng(0).integers(0, 99, labels.shape).astype(np.uint8)
    session.add_image(from_array(pixels, "YX", "many"))
    session.set_labels(labels.astype(np.int32))
    fill(qtbot, gallery)
    assert gallery.reader.picture(gallery.shown.name(1200)) is None
    gallery.grid.scroll_to(1200)
    qtbot.waitUntil(lambda: gallery.reader.picture(gallery.shown.name(1200)) is not None, timeout=60_000)


def test_who_labels_blind_is_shown_nothing_that_others_or_a_model_said(qtbot, gallery, session):
    session.label_cells([0], 1)
    fill(qtbot, gallery, title="interphase, predicted as prophase")
    gallery.choose_where(np.ones(12, dtype=bool))
    session.annotator = "somebody else"
    session.blind = True
    assert gallery.head.title.text() == ""
    assert gallery.grid.count == 0
    assert len(session.chosen) == 0
    assert not gallery.attention.button.isEnabled()
    fill(qtbot, gallery)
    assert not gallery.shown.label.any()
    assert not gallery.shown.table.predicted.any()
    assert "predicted" not in tip_of(session, gallery.shown, 0)
    click(qtbot, gallery, 3)
    press(qtbot, gallery, Qt.Key.Key_2)
    gallery._refresh()
    assert gallery.shown.label.tolist() == [0, 0, 0, 2] + 8 * [0]
    session.blind = False
    assert gallery.attention.button.isEnabled()


def test_other_channels_of_the_network_are_read_anew_and_other_settings_are_not(qtbot, gallery, make_session):
    session = gallery.session
    fill(qtbot, gallery)
    before = gallery.reader.picture((1, 0, 1))
    session.put_setting("anything", 3)
    assert gallery.reader.picture((1, 0, 1)) is before


def test_the_keys_go_on_from_the_same_cell_after_what_is_said_of_cells_was_looked_up_again(qtbot, gallery, session):
    fill(qtbot, gallery)
    click(qtbot, gallery, 2)
    click(qtbot, gallery, 6, Qt.KeyboardModifier.ControlModifier)
    press(qtbot, gallery, Qt.Key.Key_1)
    gallery._refresh()
    press(qtbot, gallery, Qt.Key.Key_Right)
    assert chosen(gallery) == [8]
