"""What keys do in the gallery: classes by number, predictions accepted, undo. Knows the session, no widgets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors, tell

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class GalleryKeys:
    """Changes the labels of the chosen cells.

    Parameters
    ----------
    session
        Where labels are.
    chosen
        Returns the chosen cells.
    predicted
        Returns the class predicted for each, 0 for none.
    """

    def __init__(
        self, session: Session, chosen: Callable[[], CellRefs], predicted: Callable[[], NDArray[np.int64]]
    ) -> None:
        self._session, self._chosen, self._predicted = session, chosen, predicted

    def is_key(self, event: QKeyEvent) -> bool:
        """Return whether a key means something here."""
        return self._action(event) is not None

    def press(self, event: QKeyEvent) -> None:
        """Do what a key means; others are left to whoever wants them."""
        action = self._action(event)
        if action is not None:
            event.accept()
            action()

    @showing_errors
    def give(self, class_id: int) -> None:
        """Give the chosen cells a class, 0 for none."""
        cells = self._chosen()
        if not len(cells):
            tell("Choose cells first: click one, or drag over several.")
            return
        self._session.label_refs(cells, class_id, origin="review")

    @showing_errors
    def accept(self) -> None:
        """Make predictions labels, as one act that is undone at once; labels that say the same stay as they are."""
        cells, predicted = self._chosen(), self._predicted()
        if not predicted.any():
            tell("There is nothing to accept: no chosen cell has a prediction.")
            return
        continues = False
        for class_id in np.unique(predicted[predicted != UNLABELLED]).tolist():
            changed = self._session.label_refs(cells.take(predicted == class_id), class_id, "accepted", continues)
            continues = continues or bool(len(changed))

    def _give_number(self, number: int) -> None:
        one = self._session.scheme.for_key(str(number)) if number else None
        if number and one is None:
            tell(f"No class has the key {number} yet.")
        else:
            self.give(one.id if one is not None else UNLABELLED)

    def _action(self, event: QKeyEvent) -> Callable[[], object] | None:
        key, held = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        none, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
        if held == none and Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
            number = int(key) - int(Qt.Key.Key_0)
            return lambda: self._give_number(number)
        if held == none and key in _ENTER:
            return self.accept
        if key == Qt.Key.Key_Z and held == control:
            return showing_errors(self._session.undo)
        if key == Qt.Key.Key_Z and held == control | Qt.KeyboardModifier.ShiftModifier:
            return showing_errors(self._session.redo)
        return None
