"""Tools that change cells by hand, as keys and mouse use them."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_cellstage.session import Session
from napari_cellstage.ui.viewer_link import ViewerLink


@pytest.mark.parametrize(("key", "tool"), [("A", "add"), ("P", "outline"), ("B", "box"), ("D", "split")])
def test_a_key_takes_a_tool_and_escape_puts_it_down(session: Session, link: ViewerLink, key: str, tool: str) -> None:
    seen: list[str] = []
    link.tools.changed.connect(seen.append)
    link.armed_class = session.scheme.ids[0]
    link.press_key(key)
    assert (link.tools.tool, link.armed_class) == (tool, 0)
    assert link.viewer.status
    link.press_key("Escape")
    link.press_key(key)
    link.armed_class = session.scheme.ids[0]
    assert seen == [tool, "", tool, ""]


def test_ctrl_click_selects_several_and_number_keys_go_to_all(session: Session, link: ViewerLink, mouse) -> None:
    mouse.click(4, 4)
    mouse.drag((4, 16), modifiers=("Control",))
    mouse.drag((16, 4), modifiers=("Control",))
    assert link.selection.rows == (0, 1, 4)
    assert len(link.viewer.layers["Selected cell"].data) == 3
    link.press_key("2")
    assert np.flatnonzero(session.class_ids() == session.scheme.ids[1]).tolist() == [0, 1, 4]
    mouse.drag((4, 16), modifiers=("Control",))
    assert link.selection.rows == (0, 4)
    mouse.click(4, 4)
    assert link.selection.rows == (0,)


def test_merging_needs_two_and_selects_the_merged(session: Session, link: ViewerLink, mouse) -> None:
    mouse.click(4, 4)
    link.press_key("M")
    assert "Ctrl+click, two or more" in link.viewer.status
    assert len(session.cells()) == 12
    mouse.drag((4, 16), modifiers=("Control",))
    link.press_key("M")
    assert len(session.cells()) == 11
    assert session.cell_at(0, 0, 4, 4) == session.cell_at(0, 0, 4, 16) == link.selected_row
    link.undo()
    assert len(session.cells()) == 12


def test_a_merge_says_which_class_it_drops(session: Session, link: ViewerLink, mouse) -> None:
    session.label_cells([0], 1)
    session.label_cells([1], 2)
    first, second = (session.scheme.by_id(one).name for one in (1, 2))
    before = len(notification_manager.records)
    link.selection.choose(0, 1)
    link.press_key("M")
    kept = session.class_ids()[link.selected_row]
    stays, goes = (first, second) if kept == 1 else (second, first)
    assert notification_manager.records[-1].message == (
        f"The merged cells had different classes: '{stays}' stays, '{goes}' is dropped. "
        "Ctrl+Z brings both cells and their classes back."
    )
    link.undo()
    assert session.class_ids()[:2].tolist() == [1, 2]
    session.label_cells([1], 1)
    link.selection.choose(0, 1)
    link.press_key("M")
    assert len(notification_manager.records) == before + 1, "nothing is dropped of one class"


@pytest.mark.parametrize("key", ["Delete", "Backspace"])
def test_deleting_lets_go_and_says_how_to_get_them_back(session: Session, link: ViewerLink, mouse, key: str) -> None:
    link.press_key(key)
    assert "Click the cell to delete first" in link.viewer.status
    mouse.click(4, 16)
    link.press_key(key)
    assert session.cell_at(0, 0, 4, 16) is None
    assert link.selection.rows == ()
    assert link.viewer.status == "1 cell deleted. Ctrl+Z brings them back."


def test_selection_stays_with_its_cells_when_rows_move(session: Session, link: ViewerLink, mouse) -> None:
    mouse.click(4, 40)
    assert link.selected_row == 3
    session.delete_cells([0])
    assert link.selected_row == 2
    assert link.viewer.layers["Selected cell"].data[0].tolist() == pytest.approx([5.5, 41.5])
    session.delete_cells([2])
    assert link.selected_row is None


def test_dragging_around_a_cell_draws_it(session: Session, link: ViewerLink, mouse) -> None:
    session.delete_cells([5, 6])
    link.press_key("P")
    seen: list[bool] = []
    link.viewer.layers.events.inserted.connect(lambda event: seen.append(event.value.name == "Being drawn"))
    mouse.drag((15, 14), (15, 34), (22, 34), (22, 14))
    assert any(seen)
    assert "Being drawn" not in link.viewer.layers
    row = link.selected_row
    assert row is not None
    assert session.cell_at(0, 0, 18, 24) == row
    assert session.cells().area[row] == 8 * 21
    assert link.tools.tool == "outline", "one after the other"
    assert link.viewer.scene.camera.mouse_pan
    assert not link.errors


def test_a_box_reaches_over_the_edge_and_takes_background_only(session: Session, link: ViewerLink, mouse) -> None:
    session.delete_cells([0])
    link.press_key("B")
    mouse.drag((-5, -5), (4, 3), (11, 11))
    assert session.cells().area[link.selected_row] == 12 * 12
    mouse.drag((20, 20), (20.5, 20.5))
    assert "Drag from one corner" in link.viewer.status


def test_a_line_across_a_cell_cuts_it(session: Session, link: ViewerLink, mouse) -> None:
    link.press_key("D")
    mouse.drag((0, 5), (6, 5), (11, 5))
    assert len(session.cells()) == 13
    assert session.cell_at(0, 0, 4, 3) != session.cell_at(0, 0, 4, 8)
    assert link.selection.rows == (0, 12)
    mouse.drag((11.4, 3), (11.4, 9))
    assert "no cell under that line" in link.viewer.status
    mouse.drag((1.6, 14), (1.6, 20))
    assert "not cut in two" in str(link.errors[-1])
    mouse.click(4, 40)
    assert link.tools.tool == "split"


def test_d_twice_cuts_the_selected_cell_at_its_waist(session: Session, link: ViewerLink, mouse) -> None:
    mouse.click(4, 4)
    link.press_key("D")
    link.press_key("D")
    assert len(session.cells()) == 13
    assert session.class_ids().shape == (13,)


def test_points_and_boxes_on_an_image_without_cells(make_session, model, mouse) -> None:
    session = make_session(cells=False)
    link = ViewerLink(model, session)
    link.press_key("A")
    mouse.click(10, 10)
    assert session.cell_at(0, 0, 10, 10) == link.selected_row == 0
    link.press_key("B")
    mouse.drag((25, 25), (35, 40))
    assert len(session.cells()) == 2
    link.press_key("1")
    assert session.class_ids().tolist() == [0, 1]
    link.close()


def test_page_keys_go_through_the_images(session: Session, link: ViewerLink) -> None:
    first = session.current_id
    second = session.add_image(type(session.current)(**{**vars(session.current), "name": "b", "fingerprint": "b"}))
    link.press_key("PageDown")
    assert link.viewer.status == "This is the last image."
    link.press_key("PageUp")
    assert session.current_id == first
    link.press_key("PageUp")
    assert link.viewer.status == "This is the first image."
    link.press_key("PageDown")
    assert session.current_id == second
