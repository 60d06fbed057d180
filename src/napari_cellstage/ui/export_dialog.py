"""The window "Export cells", and the button that opens it: what, how and where; progress, Stop, and the outcome."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.core.exporting.source import Exported, ExportSource
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.exports import ExportChoices, exporting
from napari_cellstage.session import Session
from napari_cellstage.ui.export_kinds import KINDS, Kind
from napari_cellstage.ui.job_bar import JobBar
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop


class ExportDialog(QDialog):
    """Exports cells of the project while everything else goes on.

    Parameters
    ----------
    session
        Whose cells.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.runner = JobRunner(self)
        self._written: Path | None = None
        self.setWindowTitle("Export cells")
        self.resize(560, 0)
        layout = QVBoxLayout(self)
        layout.addWidget(self._build_kinds())
        layout.addWidget(self._build_options())
        layout.addWidget(self._build_place())
        self.bar = JobBar(self.runner)
        self.said = hint("")
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        layout.addStretch(1)
        layout.addLayout(self._build_buttons())
        self.runner.started.connect(self.refresh)
        self.runner.ended.connect(self.refresh)
        self._choose_kind(KINDS[0])

    @property
    def kind(self) -> Kind:
        """The format that is chosen."""
        return KINDS[self.group.checkedId()]

    @property
    def choices(self) -> ExportChoices:
        """What the window says; `ExportError` when that can't be."""
        return ExportChoices(
            to=self.kind.to,
            out=Path(self.place.text().strip()).expanduser(),
            labelled_only=self.labelled_only.isChecked(),
            with_predicted=self.predicted.isChecked(),
            size=self.size_box.value(),
            png=self.png.isChecked(),
            overwrite=self.overwrite.isChecked(),
        )

    def refresh(self, *_what: object) -> None:
        """Show how many cells there are, and what can be done now."""
        states = self.session.image_states()
        cells, labelled = sum(one.cells or 0 for one in states), sum(one.labelled for one in states)
        self.labelled_only.setText(f"Only the {labelled:,} cells with a label, of {cells:,}")
        self.labelled_only.setVisible(self.kind.to != "crops")
        self.options.setVisible(self.kind.to != "people")  # they say what they say of labelled cells
        self.crops.setVisible(self.kind.to == "crops")
        self.crop_hint.setText(
            f"{labelled:,} cells with a label become one picture each, in the folder of their class."
        )
        busy = self.runner.busy
        self.export.setEnabled(not busy and bool(cells) and bool(self.place.text().strip()))
        for part in (self.kinds, self.options, self.place_box):
            part.setEnabled(not busy)
        self.reveal.setVisible(self._written is not None and not busy)
        if not cells:
            self.said.setText("There are no cells yet. Find cells first, or open class folders.")

    def close_link(self) -> None:
        """Stop what is being written."""
        self.runner.close()

    # build

    def _build_kinds(self) -> QWidget:
        self.kinds, self.group = QGroupBox("What"), QButtonGroup(self)
        layout = QVBoxLayout(self.kinds)
        for number, kind in enumerate(KINDS):
            choice = QRadioButton(kind.title)
            choice.setToolTip(kind.tip)
            self.group.addButton(choice, number)
            layout.addWidget(choice)
            choice.clicked.connect(partial(self._choose_kind, kind))
        self.about = hint("")
        layout.addWidget(self.about)
        self.group.button(0).setChecked(True)
        return self.kinds

    def _build_options(self) -> QWidget:
        self.options = QGroupBox("Which cells")
        self.labelled_only = QCheckBox("")
        self.labelled_only.setToolTip("Cells that only the model has a class for are left out.")
        self.crops = QWidget()
        self.crop_hint = hint("")
        self.predicted = QCheckBox("Cells without a label too, in the folder of their predicted class")
        self.predicted.setToolTip("Look through them before you train on them: the model may be wrong.")
        self.png = QCheckBox("PNG where it can hold the pixels, else TIFF")
        self.png.setToolTip("PNG opens everywhere. TIFF keeps every channel and the full range of intensities.")
        self.size_box = QSpinBox()
        self.size_box.setRange(8, 1024)
        self.size_box.setValue(64)
        self.size_box.setSuffix(" pixels")
        self.size_box.setToolTip("Side of each picture. Pictures of a contact sheet keep their own.")
        form = QFormLayout(self.crops)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.crop_hint)
        form.addRow("Size of each picture", self.size_box)
        form.addRow(self.predicted)
        form.addRow(self.png)
        layout = QVBoxLayout(self.options)
        layout.addWidget(self.labelled_only)
        layout.addWidget(self.crops)
        return self.options

    def _build_place(self) -> QWidget:
        self.place_box = QGroupBox("Where")
        self.place = QLineEdit()
        self.place.setAccessibleName("File or folder to write")
        self.place.textChanged.connect(self.refresh_button)
        self.choose = button("Choose…", "Choose the file or folder to write.")
        self.overwrite = QCheckBox("Replace what is there")
        self.overwrite.setToolTip("Without this, nothing that exists is ever overwritten.")
        on_click(self.choose, self._choose_place)
        layout, row = QVBoxLayout(self.place_box), QHBoxLayout()
        row.addWidget(self.place, 1)
        row.addWidget(self.choose)
        layout.addLayout(row)
        layout.addWidget(self.overwrite)
        return self.place_box

    def _build_buttons(self) -> QHBoxLayout:
        self.reveal = button("Show in folder", "Open the folder in your file manager.")
        self.export = button("Export", "Write it now. You can go on labelling meanwhile.")
        self.done = button("Close", "What is being written goes on to its end.")
        on_click(self.reveal, self._reveal)
        on_click(self.export, self.start)
        on_click(self.done, self.accept)
        self.export.setDefault(True)
        for other in (self.done, self.reveal, self.choose):
            other.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.reveal)
        row.addStretch(1)
        row.addWidget(self.export)
        row.addWidget(self.done)
        return row

    # what the user does

    def refresh_button(self, *_what: object) -> None:
        """Follow the place as it is typed."""
        self.export.setEnabled(not self.runner.busy and bool(self.place.text().strip()))

    def _choose_kind(self, kind: Kind, _on: bool = True) -> None:
        self.about.setText(kind.tip)
        self.overwrite.setChecked(False)
        self.said.clear()
        self._written = None
        project = self.session.project
        if project is not None:
            self.place.setText(str(kind.suggested(project.folder)))
        self.refresh()

    def _choose_place(self) -> None:
        start, title = self.place.text(), f"Export: {self.kind.title}"
        if self.kind.filter:
            name, _filter = QFileDialog.getSaveFileName(self, title, start, self.kind.filter)
            self.overwrite.setChecked(bool(name) and Path(name).exists())  # the system's window has asked
        else:
            name = QFileDialog.getExistingDirectory(self, title, str(Path(start).parent))
        if name:
            self.place.setText(name)

    @showing_errors
    def start(self) -> None:
        """Write in a worker."""
        choices = self.choices
        self.said.clear()
        self._written = None
        source = self.session.export_source(with_people=choices.to == "people")
        job = Job("exporting", partial(_exporting, source, choices))
        job.returned.connect(self._on_written)
        job.failed.connect(self._on_failed)
        self.runner.start(job)

    def _on_written(self, answer: Exported | None) -> None:
        if answer is None:
            return
        self.said.setText("\n".join((f"✔ {answer.text}." if not answer.stopped else f"{answer.text}.", *answer.notes)))
        self._written = answer.files[0]
        self.refresh()

    def _on_failed(self, error: Exception) -> None:
        self.said.setText(f"⚠ {error}")
        show(error)

    def _reveal(self) -> None:
        if self._written is not None:
            folder = self._written if self._written.is_dir() else self._written.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _exporting(
    source: ExportSource, choices: ExportChoices, should_stop: ShouldStop
) -> Generator[BatchDone, None, Exported]:
    """Export, telling how far it is."""
    work = exporting(source, choices, should_stop)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            answer: Exported = end.value
            return answer
        yield BatchDone("writing cells", done, total)
