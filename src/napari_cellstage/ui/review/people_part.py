"""The section People: who labels, blind labelling, how far persons agree, disputed cells, persons against the model."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QCompleter, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.core.people.agreement import Agreement, agreement
from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors, tell
from napari_cellstage.ui.pieces import READ_ONLY, Folded, allow, hint, on_click, scrolled, small_button
from napari_cellstage.ui.review.beside import Beside
from napari_cellstage.ui.review.import_answers import ImportAnswers
from napari_cellstage.ui.review.people_against_model import AgainstModel
from napari_cellstage.ui.review.people_tables import PlainTable, pair_rows, person_rows
from napari_cellstage.ui.review.settle_box import SettleBox
from napari_cellstage.ui.theme import PanelTheme


class PeoplePart(QWidget):
    """Persons and their labels; refreshed while it is seen.

    Parameters
    ----------
    session
        Whose labels.
    theme
        Colours.
    """

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.disputed = CellRefs()
        self._of: Answers | None = None  # what the agreement that is shown, or worked out now, is of
        self._measuring = Beside("measuring how far persons agree", self)
        self._measuring.answered.connect(self._show_agreement)
        self.persons = PlainTable(("person", "cells labelled"), "Persons")
        self.pairs = PlainTable(("agreement of", "kappa", "same", "cells"), "Agreement of each two persons")
        self.pairs.setToolTip(
            "Cohen's kappa: 1 is full agreement, 0 what chance would give; its 95 % interval in brackets. "
            "The words are those of Landis and Koch."
        )
        self.about = _plain_hint()
        self.settle = SettleBox(session)
        self.answers = ImportAnswers(session)
        self.against = AgainstModel(session, theme)
        self.compared = Folded("Persons against the model", self.against, "Everyone on the same cells.")
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        for part in (
            self.answers, self._build_disputed(), self.settle, self.about, self.pairs, self.persons,
            self.answers.button, self.compared,
        ):  # fmt: skip
            rows.addWidget(part)
        rows.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._build_who())
        self._area = scrolled(content)
        layout.addWidget(self._area, 1)
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        session = self.session
        self._show_who()
        answers, blind = session.answers(), session.blind
        self.persons.show_rows(person_rows(answers.names, answers.labels_of_each, session.annotator))
        self.persons.setVisible(bool(answers.names))
        self._measure(answers)
        self._show_disputed()
        self.answers.refresh()
        self.compared.setVisible(not blind)
        if not blind and self.compared.head.isChecked():
            self.against.refresh()

    def close_link(self) -> None:
        """Let go of what is being worked out."""
        self._measuring.close_link()
        self.against.close_link()

    def mark(self, _chosen: CellRefs) -> None:
        """Show what was said of the chosen cells."""
        self.settle.refresh(self.disputed)

    # build

    def _build_who(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.name = QLineEdit()
        self.name.setToolTip("Your name goes with each label you give, and is remembered for the next project.")
        self.name.setAccessibleName("Who labels")
        self.name.setMaxLength(200)
        self.name.setMinimumWidth(60)
        self.blind = QCheckBox("Blind")
        self.blind.setToolTip(
            "You see only your own labels: no labels of others, no predictions. What you label is kept for you alone "
            "and is compared with what others say."
        )
        caption = QLabel("Labelling as")
        caption.setBuddy(self.name)
        row.addWidget(caption)
        row.addWidget(self.name, 1)
        row.addWidget(self.blind)
        return row

    def _build_disputed(self) -> QWidget:
        self.disputed_row = QWidget()
        row = QHBoxLayout(self.disputed_row)
        row.setContentsMargins(0, 0, 0, 0)
        self.show_disputed = small_button("", "Fill the gallery with cells of which persons say different things.")
        self.vote = small_button(
            "Take the majority",
            "Every cell that several persons labelled gets the class that most of them gave it; ties stay as they are. "
            "One undo takes it back.",
        )
        for one in (self.show_disputed, self.vote):
            one.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(one, 1)
        return self.disputed_row

    def _wire(self) -> None:
        self.name.editingFinished.connect(self._rename)
        self.blind.clicked.connect(self._turn_blind)
        on_click(self.show_disputed, showing_errors(self.session.show_disputed))
        on_click(self.vote, showing_errors(self._vote))
        self.answers.imported.connect(self._on_imported)
        self.compared.head.toggled.connect(lambda on: self.against.refresh() if on else None)

    # what is shown

    def _show_who(self) -> None:
        session = self.session
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(session.annotator)
        completer = QCompleter(list(session.people()), self.name)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.name.setCompleter(completer)
        self.blind.setChecked(session.blind)
        self.blind.setEnabled(session.project is not None)

    def _measure(self, answers: Answers) -> None:
        """Measure agreement beside; what is shown meanwhile is that of before."""
        if self.session.blind or not (answers.raters > 1).any():
            self._of = None
            self._show_agreement(Agreement())
        elif answers is not self._of:
            self._of = answers
            if not self.pairs.rowCount():
                self.about.setText(_COUNTING)
            self._measuring.ask(partial(agreement, answers))

    def _show_agreement(self, found: Agreement) -> None:
        if self._of is None and found.pairs:
            return  # worked out before blind labelling was switched on
        if self.session.blind:
            self.about.setText(_BLIND)
        else:
            self.about.setText(found.text if found.pairs else _ALONE)
        self.pairs.show_rows(pair_rows(found))
        self.pairs.setVisible(bool(found.pairs))
        self._show_disputed()

    def _show_disputed(self) -> None:
        self.disputed = self.session.disputed()
        count = len(self.disputed)
        self.show_disputed.setText(f"{count:,} disputed cell{'' if count == 1 else 's'}")
        self.show_disputed.setEnabled(count > 0)
        allow(
            self.vote, READ_ONLY if self.session.read_only else ""
        )  # also what all agree on, given blind, becomes a label by it
        self.disputed_row.setVisible(not self.session.blind and self.pairs.rowCount() > 0)
        self.settle.refresh(self.disputed)

    # what the wires do

    @showing_errors
    def _rename(self) -> None:
        typed = self.name.text()
        self.name.setModified(False)
        if typed == self.session.annotator:
            return
        try:
            self.session.annotator = typed
        finally:
            self.name.setText(self.session.annotator)
        self.refresh()

    def _on_imported(self) -> None:
        self.refresh()
        if (bar := self._area.verticalScrollBar()) is not None:
            bar.setValue(0)  # where it says what became of the answers

    def _turn_blind(self, on: bool) -> None:
        self.name.clearFocus()  # a name that was just typed counts first
        showing_errors(lambda: setattr(self.session, "blind", on))()
        self.refresh()

    def _vote(self) -> None:
        changed = len(self.session.label_by_vote())
        self.refresh()
        tell(
            f"{changed:,} cell{' has' if changed == 1 else 's have'} the class of the majority now. Undo takes it back."
        )


_BLIND = (
    "Blind labelling is on: you see your own labels only, and no predictions. Switch it off to see how far you agree "
    "with others, and to settle what is disputed."
)


_ALONE = (
    "Ask a colleague to label the same cells: set their name above, tick Blind, label; then agreement is measured here."
)
_COUNTING = "Counting how far persons agree …"


def _plain_hint() -> QLabel:
    made = hint("")
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made
