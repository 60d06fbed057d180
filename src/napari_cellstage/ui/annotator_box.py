"""Who labels: asked once, in one line that nobody has to answer; later the line says as whom one labels."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget
from superqt import QElidingLabel

from napari_cellstage.session import Session
from napari_cellstage.ui.notices import shown
from napari_cellstage.ui.pieces import on_click, small_button


class AnnotatorBox(QWidget):
    """The line "Who labels?", or "Labelling as Ada".

    Parameters
    ----------
    session
        Whose annotator.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._asking = not session.annotator_known
        self.question = QLabel("Who labels?")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Who labels")
        self.name.setToolTip(
            "Goes with each label, so that several persons can be compared. Asked once; until then labels are under "
            "the name of this computer's user."
        )
        self.ok = small_button("OK", "Label under this name, here and in the next project.")
        self.told = QElidingLabel()
        self.told.setTextFormat(Qt.TextFormat.PlainText)  # a name may hold anything
        self.change = small_button("Change", "Somebody else labels now. The labels given so far keep their name.")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for part, stretch in ((self.question, 0), (self.name, 1), (self.ok, 0), (self.told, 1), (self.change, 0)):
            row.addWidget(part, stretch)
        on_click(self.ok, self._answer)
        on_click(self.change, self._ask)
        self.name.returnPressed.connect(self._answer)
        session.people_changed.connect(self._on_people)
        session.project_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        session = self.session
        for part in (self.question, self.name, self.ok):
            part.setVisible(self._asking)
        for part in (self.told, self.change):
            part.setVisible(not self._asking)
        if not self.name.isModified():
            self.name.setText(session.annotator)
        self.told.setText(f"Labelling as {session.annotator}" + (" · blind" if session.blind else ""))

    def _on_people(self) -> None:
        """Stop asking when somebody has said who labels, here or elsewhere."""
        self._asking = not self.session.annotator_known
        self.name.setModified(False)
        self.refresh()

    def _ask(self) -> None:
        self._asking = True
        self.refresh()
        self.name.setFocus()
        self.name.selectAll()

    def _answer(self) -> None:
        with shown():
            self.session.annotator = self.name.text()
