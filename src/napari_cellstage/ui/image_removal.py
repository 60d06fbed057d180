"""Images taken out of the project from the list of images: by key or by the menu of the right mouse button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAction, QMessageBox, QTableView

from napari_cellstage.core.tally import ImageState
from napari_cellstage.ui.image_table import ID_ROLE
from napari_cellstage.ui.notices import showing_errors, tell

if TYPE_CHECKING:
    from napari_cellstage.session import Session


class ImageRemoval(QObject):
    """Removes the images whose lines are selected; asks first when labels would go with them.

    Parameters
    ----------
    session
        Whose images.
    view
        Their list. Its keys get Delete, and Ctrl+Z, which the canvas has for itself.
    """

    def __init__(self, session: Session, view: QTableView) -> None:
        super().__init__(view)
        self._session, self._view = session, view
        self.action, self.undo = QAction("Remove from the project", view), QAction("Undo", view)
        self.action.setShortcuts([QKeySequence("Del"), QKeySequence("Backspace")])
        self.undo.setShortcut(QKeySequence("Ctrl+Z"))
        for action, do in ((self.action, self.remove), (self.undo, self._take_back)):
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _checked=False, do=do: do())
            view.addAction(action)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        view.selectionModel().selectionChanged.connect(lambda *_what: self._say())
        session.history_changed.connect(self._say)
        self._say()

    @showing_errors
    def remove(self) -> None:
        """Remove the selected images."""
        images = self._selected()
        if not images or (_labels(images) and not self._sure(images)):
            return
        self._session.remove_images(one.image_id for one in images)
        tell(f"Removed: {_name(images)}{_with_labels(images)}. Undo (Ctrl+Z) brings all back.")

    @showing_errors
    def _take_back(self) -> None:
        self._session.undo()

    def _selected(self) -> list[ImageState]:
        numbers = {index.data(ID_ROLE) for index in self._view.selectionModel().selectedRows()}
        return [one for one in self._session.image_states() if one.image_id in numbers]

    def _say(self) -> None:
        """Say in the menu what would be removed."""
        images, writable = self._selected(), not self._session.read_only
        self.action.setText(f"Remove {_name(images)} from the project" if images else "Remove from the project")
        self.action.setEnabled(bool(images) and writable)
        self.undo.setEnabled(self._session.can_undo and writable)

    def _sure(self, images: list[ImageState]) -> bool:
        files = "Its file stays where it is" if len(images) == 1 else "Their files stay where they are"
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "Remove from the project",
            f"Remove {_name(images)}{_with_labels(images)} from the project?\n\n"
            f"Undo (Ctrl+Z) brings all back, and so does opening the same again, later too. {files}.",
            parent=self._view,
        )
        remove = box.addButton("Remove", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec_() if hasattr(box, "exec_") else box.exec()
        return box.clickedButton() is remove


def _labels(images: list[ImageState]) -> int:
    return sum(one.labelled for one in images)


def _name(images: list[ImageState]) -> str:
    return f"'{images[0].name}'" if len(images) == 1 else f"{len(images):,} images"


def _with_labels(images: list[ImageState]) -> str:
    count = _labels(images)
    if not count:
        return ""
    whose = "its" if len(images) == 1 else "their"
    return f" with {whose} {count:,} label{'' if count == 1 else 's'}"
