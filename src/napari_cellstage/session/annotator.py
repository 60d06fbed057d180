"""Who labels, and whether blind: then only this person's labels are shown, and no predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from psygnal import Signal

from napari_cellstage.core.edits import Edit
from napari_cellstage.core.effects import Effects
from napari_cellstage.core.people.names import PeopleError, clean_name, known_spelling, remember_name, remembered_name
from napari_cellstage.core.project_lock import current_user
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.workspace import Workspace
from napari_cellstage.session.browsing import BrowsingPart

BLIND = "blind"  # the setting that keeps who labels blind in a project


class AnnotatorPart(BrowsingPart):
    """The person who labels."""

    people_changed = Signal()  # who labels, or whether blind

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(home)
        self._said = remembered_name()
        self._space.who = self.annotator

    @property
    def annotator(self) -> str:
        """Who labels: the name that was said, on this account the last time too; else the computer's user.

        Spelt as in the project where only capitals or spaces differ, so that nobody becomes two persons.
        """
        return self._said or current_user()

    @annotator.setter
    def annotator(self, name: str) -> None:
        self._said = known_spelling(clean_name(name), self.people())
        remember_name(self._said)
        self._space.who = self._said
        self._look(self._is_blind(self._space))
        self.people_changed.emit()

    @property
    def annotator_known(self) -> bool:
        """True when somebody has said who labels."""
        return bool(self._said)

    @property
    def blind(self) -> bool:
        """True while the person sees only his or her own labels, and no predictions. Kept with the project."""
        return bool(self._space.only)

    @blind.setter
    def blind(self, on: bool) -> None:
        if on == self.blind:
            return
        if not self._space.has_project:
            raise PeopleError("No project is open, so there is nothing to label blind. Open an image first.")
        others = [name for name in self.setting(BLIND) or () if name != self.annotator]
        self.put_setting(BLIND, [*others, self.annotator] if on else others)
        self._look(on)
        self.people_changed.emit()

    def people(self) -> tuple[str, ...]:
        """Return everyone who has labelled in this project."""
        return self._space.project.journal.people() if self._space.has_project else ()

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need; not in blind mode, as nothing of it may be shown."""
        self._refuse_blind("nothing is trained or predicted")
        return super().snapshot()

    def _enter(self, space: Workspace) -> None:
        space.who = self.annotator
        space.show_only(self.annotator if self._is_blind(space) else "")
        super()._enter(space)
        self.people_changed.emit()

    def _is_blind(self, space: Workspace) -> bool:
        stored = space.settings.get(BLIND)
        return isinstance(stored, list) and self.annotator in stored

    def _look(self, blind: bool) -> None:
        """Show one's own labels, or those that all share."""
        wanted = self.annotator if blind else ""
        if wanted == self._space.only:
            return
        self._space.show_only(wanted)
        read = {i: image for i in self._space.entries if (image := self._space.known(i)) is not None}
        rows = {image_id: np.arange(len(image.cells)) for image_id, image in read.items()}
        self._tell(Effects(Edit("show other labels", "label"), rows, predictions=tuple(read)))

    def _refuse_blind(self, what: str) -> None:
        if self.blind:
            raise PeopleError(
                f"Blind labelling is on, so {what}: you would see what others and the model say. Switch it off first, "
                "in the step Review, under People."
            )
