"""One selection: the cells chosen anywhere are selected in the viewer, and those selected in the viewer are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.ui.selection import Selection

if TYPE_CHECKING:
    from napari_cellstage.session import Session


class ChosenLink:
    """Keeps `session.chosen` and the viewer's selection the same.

    Parameters
    ----------
    session
        Knows the chosen cells of all images.
    selection
        Knows those of the current image, by row.
    centre_on
        Moves camera and sliders to a row.
    """

    def __init__(self, session: Session, selection: Selection, centre_on: Callable[[int], None]) -> None:
        self._session, self._selection, self._centre_on = session, selection, centre_on
        self._following = False
        selection.changed.connect(self._on_selected)
        session.chosen_changed.connect(self._on_chosen)
        session.cell_wanted.connect(self._on_wanted)

    @property
    def elsewhere(self) -> bool:
        """Whether cells of other images are chosen too."""
        chosen = self._session.chosen
        return bool((chosen.image_id != self._session.current_id).any())

    def on_image(self) -> None:
        """Go on with the chosen cells of another image; where none of them is chosen, nothing is any more."""
        self._select(())  # rows of the image before mean other cells here
        self._follow(self._session.chosen)
        if not self._selection.rows:
            self._session.choose(CellRefs())

    def close(self) -> None:
        """Let go of the session."""
        self._selection.changed.disconnect(self._on_selected)
        self._session.chosen_changed.disconnect(self._on_chosen)
        self._session.cell_wanted.disconnect(self._on_wanted)

    def _on_selected(self, rows: tuple[int, ...]) -> None:
        image_id = self._session.current_id
        if self._following or image_id is None:
            return
        selected = CellRefs.of(image_id, self._session.cells(), np.array(rows, dtype=np.intp))
        chosen = self._session.chosen
        if selected != chosen.take(chosen.image_id == image_id):
            self._session.choose(selected)

    def _on_chosen(self, chosen: CellRefs) -> None:
        self._follow(chosen)

    def _follow(self, chosen: CellRefs) -> None:
        """Select the chosen cells of the current image."""
        image_id = self._session.current_id
        here = chosen.take(chosen.image_id == image_id)
        rows = here.places_in(CellRefs.of(image_id, self._session.cells())) if len(here) and image_id else np.zeros(0)
        self._select(tuple(int(row) for row in rows if row >= 0))

    def _select(self, rows: tuple[int, ...]) -> None:
        self._following = True
        try:
            self._selection.choose(*rows)
        finally:
            self._following = False

    def _on_wanted(self, image_id: int, t: int, cell_id: int) -> None:
        row = self._session.row_of(t, cell_id) if image_id == self._session.current_id else None
        if row is None:
            return
        if row not in self._selection.rows:
            self._selection.choose(row)
        self._centre_on(row)
