"""What is always to be seen at the top of the dock: project, image, one line of state, and what to do next."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import next_step, state_line
from napari_cellstage.ui.pieces import hint, on_click


class Header(QWidget):
    """Shows the session in three lines.

    Signals
    -------
    step_wanted : name of the step that the advice is about.
    help_wanted : show the keys.
    """

    step_wanted = Signal(str)
    help_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._step, self._shown_step = "", ""
        self.name = QElidingLabel()
        self.name.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.state = hint("")
        self.advice = hint("")
        self.go = QPushButton()
        self.go.setToolTip("Show the step where this is done")
        on_click(self.go, lambda: self.step_wanted.emit(self._step))
        self.help = QPushButton()
        self.help.setText("?")
        self.help.setFixedWidth(26)
        self.help.setToolTip("Show the keys")
        self.help.setAccessibleName("Show the keys")
        on_click(self.help, self.help_wanted.emit)
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.help)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addWidget(self.state)
        next_row = QHBoxLayout()
        next_row.addWidget(self.advice, 1)
        next_row.addWidget(self.go)
        layout.addLayout(next_row)
        self._wire()
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        session = self.session
        stack, project = session.current, session.project
        title = stack.name if stack is not None else "Cellstage"
        self.name.setText(title)
        self.name.setToolTip(f"Project {project.name}, in {project.folder.parent}" if project is not None else "")
        self.state.setText(state_line(session))
        step = next_step(session)
        self.advice.setText(f"<b>Next:</b> {escape(step.text)}")
        self._step = step.step
        self.go.setText(f"{step.step} ▸")
        self.go.setVisible(step.step != self._shown_step)

    def show_step(self, step: str) -> None:
        """Note which step is open, so that the way to it is not offered."""
        self._shown_step = step
        self.go.setVisible(self._step != step)

    def _wire(self) -> None:
        session = self.session
        for signal in (
            session.project_changed,
            session.images_changed,
            session.current_changed,
            session.cells_changed,
            session.scheme_changed,
            session.labels_changed,
            session.predictions_changed,
            session.runs_changed,
            session.audit_changed,
            session.stain_runs_changed,
            session.stains_changed,
        ):
            signal.connect(self.refresh)
