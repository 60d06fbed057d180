"""What the status bar says about the cell under the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.classes import UNLABELLED

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.utils.events import Event

    from napari_cellstage.session import Session


def describe_cell(session: Session, row: int) -> str:
    """Return such as ``"cell 17: metaphase 0.93, then anaphase 0.05 · labelled metaphase"``.

    Parameters
    ----------
    session
        Its current image is meant.
    row
        Of the cell table.
    """
    name_of = {one.id: one.name for one in session.scheme}
    label = int(session.class_ids()[row])
    said = f"labelled {name_of.get(label, '?')}{_origin(session, row)}" if label != UNLABELLED else "not labelled"
    if session.audit_mask()[row]:
        said += ", set aside for the final check"
    answer = _describe_prediction(session, row, name_of)
    cell_id = int(session.cells().cell_id[row])
    return f"cell {cell_id}: {answer} · {said}" if answer else f"cell {cell_id} · {said}"


def _origin(session: Session, row: int) -> str:
    """Return where a label that was not given to the cell itself came from."""
    facts = session.facts()
    place = f" {facts.well}" if facts.well else " or treatment"
    said = {
        "image": ", given to the image",
        "well": f", given to well{place}",
        "track": ", given to its track",
        "folder": ", from its folder",
        "import": ", imported",
        "accepted": ", as the model had it",
    }
    return said.get(str(session.origins()[row]), "")


def _describe_prediction(session: Session, row: int, name_of: dict[int, str]) -> str:
    predictions = session.predictions()
    if predictions is None or row >= len(predictions) or np.isnan(predictions.probabilities[row, 0]):
        return ""
    probabilities = predictions.probabilities[row]
    best_two = np.argsort(-probabilities, kind="stable")[:2]
    if predictions.unlike is not None and predictions.unlike[row] > 1:
        nearest = int(best_two[0])
        name = name_of.get(predictions.class_ids[nearest], "?")
        return f"unlike the cells it was trained on (nearest: {name} {probabilities[nearest]:.2f})"
    parts = [f"{name_of.get(predictions.class_ids[k], '?')} {probabilities[k]:.2f}" for k in best_two.tolist()]
    return ", then ".join(parts)


class HoverStatus:
    """Puts the cell under the mouse into the viewer's status bar, after napari has written its own text.

    Parameters
    ----------
    viewer
        Whose status bar.
    session
        Knows the cells.
    hovered_row
        Returns the row of the cell under the mouse, or None.
    """

    def __init__(self, viewer: ViewerModel, session: Session, hovered_row: Callable[[], int | None]) -> None:
        self._viewer = viewer
        self._session = session
        self._hovered_row = hovered_row
        viewer.events.status.connect(self._on_status, position="last")

    def show(self) -> None:
        """Write the text now."""
        row = self._hovered_row()
        if row is not None:
            self._viewer.status = describe_cell(self._session, row)

    def close(self) -> None:
        """Leave the status bar to napari."""
        self._viewer.events.status.disconnect(self._on_status)

    def _on_status(self, event: Event) -> None:
        # napari's own text for a mouse position is a dict; plain text is a message for the user and stays.
        if isinstance(event.value, dict):
            self.show()
