"""The mouse on cells: select, label, paint, add."""

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellstage.core.errors import ReadOnlyError
from napari_cellstage.session import Session
from napari_cellstage.ui.viewer_link import ViewerLink


def test_click_selects_and_a_click_on_the_background_lets_go(session: Session, link: ViewerLink, mouse) -> None:
    seen = []
    link.selection_changed.connect(seen.append)
    mouse.click(4, 16)
    assert link.selected_row == 1
    assert link.viewer.layers["Selected cell"].data[0].tolist() == pytest.approx([5.5, 17.5])
    mouse.click(0, 0)
    assert link.selected_row is None
    assert len(link.viewer.layers["Selected cell"].data) == 0
    mouse.click(-30, 4)
    assert seen == [1, None]
    assert not session.class_ids().any()


def test_pixels_reach_half_a_pixel_around_their_centre(link: ViewerLink, mouse) -> None:
    mouse.click(1.6, 1.6)
    assert link.selected_row == 0
    mouse.click(1.4, 5)
    assert link.selected_row is None


def test_armed_class_is_given_by_a_click(session: Session, link: ViewerLink, mouse) -> None:
    link.armed_class = session.scheme.ids[2]
    mouse.click(4, 4)
    assert session.class_ids()[0] == session.scheme.ids[2]
    assert link.selected_row == 0


def test_dragging_pans_and_gives_nothing(session: Session, link: ViewerLink, mouse) -> None:
    link.armed_class = session.scheme.ids[2]
    mouse.drag((4, 4), (14, 14), (30, 30))
    assert not session.class_ids().any()
    assert link.viewer.scene.camera.mouse_pan


def test_a_trembling_hand_still_clicks(session: Session, link: ViewerLink, mouse) -> None:
    mouse.drag((4, 4), (5, 6), (4, 4))
    assert link.selected_row == 0


def test_shift_drag_paints_every_cell_on_the_way_as_one_step(session: Session, link: ViewerLink, mouse) -> None:
    wanted = session.scheme.ids[1]
    link.armed_class = wanted
    panning = []
    session.labels_changed.connect(lambda *_: panning.append(link.viewer.scene.camera.mouse_pan))
    mouse.drag((5, 4), (5, 40), (17, 40), modifiers=("Shift",))
    on_the_way = {session.cell_at(0, 0, 5, x) for x in range(4, 41)} | {
        session.cell_at(0, 0, y, 40) for y in range(5, 18)
    }
    assert set(np.flatnonzero(session.class_ids() == wanted)) == on_the_way - {None}
    assert not any(panning)
    assert link.viewer.scene.camera.mouse_pan
    session.undo()
    assert not session.class_ids().any()


def test_a_stroke_that_starts_on_a_cell_of_that_class_joins_no_older_edit(
    session: Session, link: ViewerLink, mouse
) -> None:
    wanted = session.scheme.ids[1]
    session.label_cells([0], wanted)
    link.armed_class = wanted
    mouse.drag((5, 4), (5, 18), modifiers=("Shift",))
    assert session.class_ids()[:2].tolist() == [wanted, wanted]
    session.undo()
    assert session.class_ids()[:2].tolist() == [wanted, 0]


def test_a_fast_drag_of_which_only_the_ends_are_told(session: Session, link: ViewerLink, mouse) -> None:
    link.armed_class = session.scheme.ids[1]
    mouse.ends((4, 4), (28, 4))
    assert not session.class_ids().any()
    mouse.ends((4, 4), (28, 4), modifiers=("Shift",))
    assert np.flatnonzero(session.class_ids()).tolist() == [0, 4, 8]


def test_shift_drag_without_an_armed_class_says_what_to_do(session: Session, link: ViewerLink, mouse) -> None:
    mouse.drag((5, 4), (5, 40), modifiers=("Shift",))
    assert "Choose a class" in link.viewer.status
    assert not session.class_ids().any()


def test_other_modifiers_and_tools_are_napari_s(session: Session, link: ViewerLink, mouse) -> None:
    mouse.drag((4, 4), modifiers=("Alt",))
    assert link.selected_row is None
    own = link.viewer.add_labels(np.zeros((40, 50), dtype=int))
    own.mode = "paint"
    mouse.click(4, 4)
    assert link.selected_row is None
    own.mode = "pan_zoom"
    mouse.click(4, 4)
    assert link.selected_row == 0


def test_a_cell_is_added_in_add_mode_only(session: Session, link: ViewerLink, mouse) -> None:
    mouse.click(0, 11)
    assert len(session.cells()) == 12
    link.add_mode = True
    mouse.click(37, 47)
    assert len(session.cells()) == 13
    assert link.selected_row == 12
    assert session.cell_at(0, 0, 37, 47) == 12
    mouse.click(4, 4)
    assert link.selected_row == 0
    assert len(session.cells()) == 13
    session.undo()
    assert link.selected_row in (None, 0)


def test_add_mode_and_an_armed_class_exclude_each_other(session: Session, link: ViewerLink) -> None:
    link.armed_class = session.scheme.ids[0]
    link.add_mode = True
    assert link.armed_class == 0
    link.armed_class = session.scheme.ids[0]
    assert not link.add_mode


def test_errors_are_shown_and_not_raised(session: Session, link: ViewerLink, mouse, monkeypatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise ReadOnlyError("The project is open read-only.")

    monkeypatch.setattr(session, "label_cells", refuse)
    monkeypatch.setattr(session, "add_cell", refuse)
    link.armed_class = session.scheme.ids[0]
    mouse.click(4, 4)
    mouse.drag((5, 4), (5, 40), (17, 40), modifiers=("Shift",))
    link.add_mode = True
    mouse.click(37, 47)
    assert [str(error) for error in link.errors] == ["The project is open read-only."] * 3


def test_scale_translate_and_sliders_count(model: ViewerModel, make_session: Callable[..., Session], mouse) -> None:
    session = make_session(shape=(3, 2, 30, 30), cells=False)
    labels = np.zeros((3, 2, 30, 30), dtype=np.int32)
    labels[2, 1, 10:20, 10:20] = 5
    session.set_labels(labels)
    own = model.add_image(np.zeros((3, 2, 30, 30)), scale=(1, 3, 0.5, 0.5), translate=(0, 0, 100, 200))
    link = ViewerLink(model, session)
    link.use_layer(own, session.current_id)
    mouse.click(100 + 15 * 0.5, 200 + 15 * 0.5)
    assert link.selected_row is None
    model.dims.set_point([0, 1], [2, 3])
    mouse.click(100 + 15 * 0.5, 200 + 15 * 0.5)
    assert link.selected_row == 0
    link.close()


def test_go_to_moves_sliders_and_camera(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(shape=(3, 2, 30, 30), cells=False)
    labels = np.zeros((3, 2, 30, 30), dtype=np.int32)
    labels[2, 1, 10:20, 14:20] = 5
    session.set_labels(labels)
    link = ViewerLink(model, session)
    model.scene.camera.zoom = 0.01
    link.go_to(0)
    assert model.dims.current_step[:2] == (2, 1)
    assert model.scene.camera.center[-2:] == pytest.approx((14.5, 16.5))
    assert model.scene.camera.zoom * 10 == pytest.approx(80)
    assert link.selected_row == 0
    link.close()


def test_hover(link: ViewerLink, mouse) -> None:
    mouse.move(4, 16)
    assert link.hovered_row == 1
    mouse.move(0, 0)
    assert link.hovered_row is None


def test_the_ray_of_a_3d_view_meets_the_first_cell(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    from types import SimpleNamespace

    session = make_session(shape=(1, 6, 30, 30), cells=False)
    labels = np.zeros((1, 6, 30, 30), dtype=np.int32)
    labels[0, 2, 10:20, 10:20] = 1
    labels[0, 4, 10:20, 10:20] = 2
    session.set_labels(labels)
    link = ViewerLink(model, session)
    model.dims.ndisplay = 3

    def looking(direction: int) -> SimpleNamespace:
        return SimpleNamespace(
            position=(0.0, 15.0, 15.0), view_direction=np.array([direction, 0, 0]), dims_displayed=[0, 1, 2]
        )

    assert link._picker.row_at(looking(1)) == 0
    assert link._picker.row_at(looking(-1)) == 1
    link.close()


def test_callbacks_are_gone_after_close(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    before = (list(model.mouse_move_callbacks), list(model.mouse_drag_callbacks))
    link = ViewerLink(model, make_session())
    link.close()
    assert (list(model.mouse_move_callbacks), list(model.mouse_drag_callbacks)) == before
