"""One selection: chosen cells are selected in the viewer, and the other way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel

from napari_cellstage.core.images import from_array
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.marker import MOST
from napari_cellstage.ui.viewer_link import ViewerLink


def refs(session: Session, image_id: int, *rows: int) -> CellRefs:
    return CellRefs.of(image_id, session.cells(image_id), np.array(rows, dtype=np.intp))


def second_image(session: Session) -> int:
    image_id = session.add_image(from_array(np.ones((40, 50), np.uint8), "YX", "second"))
    session.set_labels(np.asarray(session.labels(1)[:]))
    return image_id


def test_a_selected_cell_is_chosen_and_a_chosen_one_is_selected(link: ViewerLink, session: Session) -> None:
    link.selected_row = 3
    assert session.chosen == refs(session, 1, 3)
    session.choose(refs(session, 1, 5, 2))
    assert link.selection.rows == (5, 2)
    session.choose(CellRefs())
    assert link.selected_row is None


def test_cells_of_other_images_stay_chosen_until_an_image_has_none_of_them(link: ViewerLink, session: Session) -> None:
    other = second_image(session)
    session.choose(CellRefs.joined((refs(session, 1, 0, 1), refs(session, other, 4))))
    assert link.selection.rows == (4,)
    session.set_current(1)
    assert link.selection.rows == (0, 1)
    assert len(session.chosen) == 3
    session.choose(refs(session, 1, 0))
    session.set_current(other)
    assert link.selection.rows == ()
    assert session.chosen == CellRefs()


def test_a_key_labels_all_that_is_chosen(link: ViewerLink, session: Session) -> None:
    other = second_image(session)
    session.choose(CellRefs.joined((refs(session, 1, 0, 1), refs(session, other, 4))))
    link.press_key("2")
    assert session.class_ids(1)[:2].tolist() == [2, 2]
    assert session.class_ids(other)[4] == 2
    link.undo()
    assert session.counts()[2] == 0


def test_a_wanted_cell_is_gone_to_in_its_image_time_and_plane(
    link: ViewerLink, session: Session, make_session: Callable[..., Session]
) -> None:
    movie = make_session((4, 3, 40, 50))
    model = ViewerModel()
    shown = ViewerLink(model, movie)
    cells = movie.cells()
    row = int(np.flatnonzero(cells.t == 2)[5])
    movie.visit(1, 2, int(cells.cell_id[row]))
    assert shown.selected_row == row
    assert model.dims.current_step[0] == 2
    assert movie.chosen == refs(movie, 1, row)
    np.testing.assert_allclose(model.scene.camera.center[-2:], (cells.y[row], cells.x[row]), atol=1)
    shown.close()


def test_a_visit_to_another_image_keeps_what_is_chosen_there(link: ViewerLink, session: Session) -> None:
    other = second_image(session)
    session.set_current(1)
    session.choose(refs(session, other, 3, 4))
    assert link.selection.rows == ()
    session.visit(other, 0, int(session.cells(other).cell_id[4]))
    assert link.selection.rows == (3, 4)
    assert len(session.chosen) == 2


def test_of_very_many_chosen_cells_some_have_rings(make_session: Callable[..., Session]) -> None:
    many = make_session((60, 1, 40, 50))
    shown = ViewerLink(ViewerModel(), many)
    many.choose(CellRefs.of(1, many.cells()))
    assert len(shown.selection.rows) == 720
    assert len(shown.viewer.layers["Selected cell"].data) == MOST
    shown.close()


def test_a_closed_viewer_hears_no_more(link: ViewerLink, session: Session) -> None:
    link.close()
    session.choose(refs(session, 1, 3))
    assert link.selection.rows == ()
