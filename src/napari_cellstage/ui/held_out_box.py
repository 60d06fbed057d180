"""How the cells that measure a model are chosen: what is kept together, and cells set aside for the final check."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_cellstage.core.scoring.split_groups import SPLITS, SplitBy
from napari_cellstage.session import Session
from napari_cellstage.ui.audit_box import AuditBox
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import hint

TEXTS: dict[SplitBy, str] = {
    "auto": "automatic",
    "image": "image",
    "well": "well",
    "plate": "plate",
    "movie": "movie",
    "donor": "donor",
}
TIP = (
    "A model is measured on cells that it was not trained on. Cells that share an image, well or donor\n"
    "look alike, so all of them are either trained on or measured on, never both.\n"
    "automatic: wells, where each class is in two of them or more; else images.\n"
    "movie: an image with all its time points, or the movie that class folders name.\n"
    "Wells, plates and donors are told in step Data, Plate, wells, doses."
)


class HeldOutBox(QWidget):
    """The choices behind a score.

    Parameters
    ----------
    session
        Whose cells.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.split = QComboBox()
        self.split.addItems(list(TEXTS.values()))
        self.split.setToolTip(TIP)
        self.split.setAccessibleName("Keep together")
        self.split.activated.connect(self._choose)
        self.unknown = hint("")
        self.audit = AuditBox(session)
        form, layout = QFormLayout(), QVBoxLayout(self)
        form.addRow("Keep together", self.split)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.unknown)
        layout.addWidget(self.audit)
        for signal in (session.project_changed, session.settings_changed, session.facts_changed):
            signal.connect(self.refresh)
        session.images_changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session's choice as it is now."""
        by = self.session.split_by
        self.split.setCurrentIndex(SPLITS.index(by))
        self.split.setEnabled(bool(self.session.images) and not self.session.read_only)
        self.unknown.setText(self._unknown_text(by))
        self.unknown.setVisible(bool(self.unknown.text()))

    def _unknown_text(self, by: SplitBy) -> str:
        """Say of how many images nobody said what is asked for; each of them is kept together by itself."""
        if by not in ("well", "plate", "donor"):
            return ""
        facts = self.session.facts_all()
        bare = sum(not (one.image_id in facts and getattr(facts[one.image_id], by)) for one in self.session.images)
        images = f"{bare} image{'s' if bare != 1 else ''}"
        return f"Of {images} the {by} is not known: each is kept together by itself." if bare else ""

    @showing_errors
    def _choose(self, index: int) -> None:
        self.session.split_by = SPLITS[index]
        self.refresh()
