"""Keys: bound on the viewer and the active layer, and given back."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.key_bindings import KeymapHandler, coerce_keybinding

from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.viewer_link import ViewerLink


class Keyboard(KeymapHandler):
    """What a window does with a key: ask the active layer, then the viewer."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer

    def press(self, key: str) -> bool:
        active = self.viewer.layers.selection.active
        self.keymap_providers = [self.viewer] if active is None else [active, self.viewer]
        return self.press_key(key)


@pytest.fixture
def keyboard(model: ViewerModel) -> Keyboard:
    return Keyboard(model)


def add_layer(model: ViewerModel, kind: str):
    if kind == "none":
        model.layers.selection.clear()
        return None
    data = {"points": np.zeros((1, 2)), "shapes": np.eye(2) * 9, "vectors": np.ones((1, 2, 2))}
    return getattr(model, f"add_{kind}")(data.get(kind, np.zeros((40, 50), dtype=int)))


@pytest.mark.parametrize("kind", ["image", "labels", "points", "shapes", "vectors", "none"])
def test_number_keys_whatever_layer_is_active(
    model: ViewerModel, session: Session, link: ViewerLink, keyboard: Keyboard, kind: str
) -> None:
    layer = add_layer(model, kind)
    link.selected_row = 3
    for key in "123456":
        assert keyboard.press(key)
        assert session.class_ids()[3] == session.scheme.for_key(key).id
    if layer is not None:
        assert layer.mode == "pan_zoom"
    assert keyboard.press("0")
    assert session.class_ids()[3] == 0
    assert link.selected_row == 3


def test_a_key_without_a_class_says_so(
    model: ViewerModel, session: Session, link: ViewerLink, keyboard: Keyboard
) -> None:
    link.selected_row = 0
    keyboard.press("9")
    assert model.status == "No class has the key 9 yet."
    assert not session.class_ids().any()


def test_without_a_selected_cell_the_one_under_the_mouse_is_meant(
    session: Session, link: ViewerLink, keyboard: Keyboard, mouse
) -> None:
    keyboard.press("1")
    assert "Click a cell first" in link.viewer.status
    mouse.move(4, 16)
    keyboard.press("1")
    assert np.flatnonzero(session.class_ids()).tolist() == [1]


def test_undo_redo(session: Session, link: ViewerLink, keyboard: Keyboard) -> None:
    link.viewer.add_labels(np.zeros((40, 50), dtype=int))
    link.selected_row = 0
    keyboard.press("2")
    keyboard.press("Control-Z")
    assert not session.class_ids().any()
    keyboard.press("Control-Shift-Z")
    assert session.class_ids()[0] == session.scheme.ids[1]
    keyboard.press("Control-Shift-Z")
    assert session.class_ids()[0] == session.scheme.ids[1]


def test_next_unlabelled(session: Session, link: ViewerLink, keyboard: Keyboard) -> None:
    keyboard.press("N")
    assert link.selected_row == 0
    session.label_cells([1], session.scheme.ids[0])
    keyboard.press("N")
    assert link.selected_row == 2
    session.label_cells(np.arange(12), session.scheme.ids[0])
    keyboard.press("N")
    assert link.viewer.status == "Every cell has a label."


def test_auto_advance_is_off_unless_asked_for(session: Session, link: ViewerLink, keyboard: Keyboard) -> None:
    link.selected_row = 0
    keyboard.press("1")
    assert link.selected_row == 0
    link.auto_advance = True
    keyboard.press("1")
    assert link.selected_row == 1
    keyboard.press("0")
    assert link.selected_row == 1


def test_enter_accepts_the_prediction_of_the_selected_cell(
    model: ViewerModel, session: Session, link: ViewerLink, keyboard: Keyboard
) -> None:
    ids = session.scheme.ids
    chances = np.full((len(session.cells()), 2), 0.2, dtype=np.float32)
    chances[:, 1] = 0.8
    answer = Predictions(chances, ids[:2], np.zeros(len(chances), np.uint8), "run")
    keyboard.press("Enter")
    assert "Click a cell first" in model.status
    session.set_predictions({session.current_id: answer}, session.snapshot().version)
    model.add_labels(np.zeros((40, 50), dtype=int))
    link.selected_row = 3

    keyboard.press("Enter")

    assert session.class_ids()[3] == ids[1]
    assert session.origins()[3] == "accepted"
    assert link.selected_row == 3
    link.auto_advance = True
    session.queue_mode = "in order"
    keyboard.press("Enter")
    assert link.selected_row == 4
    keyboard.press("1")
    assert session.origins()[4] == "hand"
    keyboard.press("Control-Z")
    assert session.class_ids()[4] == 0


def test_enter_without_a_prediction_says_so(link: ViewerLink, keyboard: Keyboard) -> None:
    said: list[str] = []
    link._on_error = lambda error: said.append(str(error))
    link.selected_row = 0
    keyboard.press("Enter")
    assert "says nothing of this cell" in said[0]


def test_the_next_cell_may_be_in_another_image(session: Session, link: ViewerLink, keyboard: Keyboard) -> None:
    first = session.current_id
    second = session.add_image(from_array(np.ones((1, 40, 50), np.uint8), "TYX", "other"))
    labels = np.zeros((40, 50), dtype=np.int32)
    labels[3:9, 3:9] = 5
    session.set_labels(labels)
    session.set_current(first)
    session.label_cells(np.arange(len(session.cells())), session.scheme.ids[0])

    keyboard.press("N")

    assert session.current_id == second
    assert link.selected_row == 0


def test_add_mode_and_escape(session: Session, link: ViewerLink, keyboard: Keyboard) -> None:
    modes, armed = [], []
    link.mode_changed.connect(modes.append)
    link.armed_changed.connect(armed.append)
    link.selected_row = 2
    keyboard.press("A")
    assert link.add_mode
    keyboard.press("Escape")
    assert not link.add_mode
    link.armed_class = session.scheme.ids[0]
    keyboard.press("Escape")
    assert link.armed_class == 0
    assert link.selected_row == 2
    keyboard.press("Escape")
    assert link.selected_row is None
    assert modes == [True, False]
    assert armed == [session.scheme.ids[0], 0]


def test_deleting_the_armed_class_disarms_it(session: Session, link: ViewerLink) -> None:
    link.armed_class = session.scheme.ids[0]
    session.delete_class(session.scheme.ids[0])
    assert link.armed_class == 0


def test_press_key_is_for_the_dock(session: Session, link: ViewerLink) -> None:
    link.selected_row = 0
    assert link.press_key("1")
    assert not link.press_key("Q")
    assert session.class_ids()[0] == session.scheme.ids[0]


def test_keys_are_given_back(model: ViewerModel, session: Session, keyboard: Keyboard) -> None:
    pressed = []
    one, other = model.add_image(np.zeros((4, 4))), model.add_labels(np.zeros((4, 4), dtype=int))
    one.bind_key("1", lambda _layer: pressed.append("user's own"))
    before = (dict(model.keymap), dict(one.keymap), dict(other.keymap))
    link = ViewerLink(model, session)
    for layer in (one, other, one):
        model.layers.selection.active = layer
        keyboard.press("1")
    assert pressed == []
    model.layers.selection.active = other
    assert dict(one.keymap) == before[1]
    link.close()
    assert (dict(model.keymap), dict(one.keymap), dict(other.keymap)) == before
    model.layers.selection.active = one
    keyboard.press("1")
    assert pressed == ["user's own"]


def test_a_key_bound_by_someone_else_meanwhile_stays_theirs(model: ViewerModel, session: Session) -> None:
    layer = model.add_image(np.zeros((4, 4)))
    link = ViewerLink(model, session)
    model.layers.selection.active = layer
    theirs = layer.bind_key("1", lambda _layer: None, overwrite=True)
    assert theirs is not None
    link.close()
    assert list(layer.keymap) == [coerce_keybinding("1")]
