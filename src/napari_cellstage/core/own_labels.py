"""The shelf with labels of one person only: what blind labelling shows and changes in place of the shared labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.edits import Edit, History
from napari_cellstage.core.people.names import PeopleError
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.project_lock import current_user
from napari_cellstage.core.shelf import Shelf
from napari_cellstage.core.store import Project


class OwnLabels(Shelf):
    """Whose labels are in memory, who gives them, and what can be undone in them."""

    def __init__(self, project: Project | None = None) -> None:
        super().__init__(project)
        self.who = current_user()
        self.image_classes = project.journal.image_classes() if project else {}
        self._only = ""
        self._histories: dict[str, History] = {}
        self._alone: tuple[str, bool] = ("", True)

    @property
    def only(self) -> str:
        """The person whose labels alone are shown; empty: the shared ones."""
        return self._only

    @property
    def history(self) -> History:
        """What can be undone in the labels that are shown."""
        return self._histories.setdefault(self._only, History())

    def show_only(self, who: str) -> None:
        """Show the labels of one person and none of the others, or the shared ones again where `who` is empty."""
        if who == self._only:
            return
        self._only = who
        if not self.has_project:
            return
        journal, said = self.project.journal, self._still_there(self.opinions().of(who)) if who else None
        self.image_classes = journal.image_classes() if said is None else {}
        self.tally.recount(journal.counts() if said is None else said.counts())
        for image_id, image in self._images.items():
            image.show(journal.marks(image_id) if said is None else said.marks(image_id))

    def opinions(self, image_id: int | None = None) -> Opinions:
        """Return what each person says today, of one image or of all; of classes that are gone nothing."""
        images = {*self.entries, *self.hidden}
        return self.project.journal.opinions(image_id).within(images, self.scheme.ids)

    def said(self) -> Opinions:
        """Return what each person says of cells of images that are shown; while only one's labels are, of that one."""
        if not self.has_project:
            return Opinions()
        found = self._still_there(self.opinions().within(self.entries, self.scheme.ids))
        return found.of(self._only) if self._only else found

    def _still_there(self, said: Opinions) -> Opinions:
        """Return opinions without those on cells that were deleted or merged by hand: nothing in the journal says so.

        Cells of images that nobody painted on need not be read for it.
        """
        there = np.ones(len(said), dtype=bool)
        for image_id, places in said.cells.by_image().items():
            if image_id in self.entries and self._is_painted(image_id):
                rows = self.image(image_id).rows_of(said.cells.t[places], said.cells.cell_id[places])
                there[places] = (rows >= 0) | (image_id in self.problems)
        return said.take(there)

    def _is_painted(self, image_id: int) -> bool:
        return bool(self.project.journal.last_paint(image_id, self.tally.versions.get(image_id, 0)))

    def forget_alone(self) -> None:
        """Ask again whether anybody else has labelled."""
        self._alone = ("", True)

    @property
    def alone(self) -> bool:
        """True when nobody but whoever labels now has labelled in this project."""
        if not self.has_project:
            return True
        if self._alone[0] != self.who:  # asked once for each person, as the whole journal may have to be read
            self._alone = (self.who, not self.project.journal.others_labelled(self.who))
        return self._alone[1]

    def _load(self, image_id: int) -> AnnotatedImage:
        image = super()._load(image_id)
        if self._only:
            image.show(self.opinions(image_id).of(self._only).marks(image_id))
        return image

    def refuse_unseen(self, what: str) -> None:
        """Refuse what would change labels that are not shown.

        Raises
        ------
        PeopleError
            While only one person's labels are shown.
        """
        if self._only:
            raise PeopleError(
                f"Blind labelling is on, so '{what}' can't be done: it would change labels that you don't see. "
                "Switch blind labelling off first, in the step Review, under People."
            )

    def _own(self, edit: Edit) -> Edit:
        """Return an edit of shared labels as one of the labels that are shown.

        Raises
        ------
        PeopleError
            If it changes anything else while only one person's labels are shown: what all share would follow unseen.
        """
        if not self._only:
            return edit
        scheme = edit.scheme
        gone = bool(scheme and set(scheme.before.ids) - set(scheme.after.ids))
        if edit.segmentations or edit.paint or edit.image_classes or edit.hidden or gone:
            self.refuse_unseen(edit.text)
        return replace(edit, labels=tuple(replace(change, who=self._only) for change in edit.labels))

    def _forget_own_histories(self) -> None:
        """Drop what can't be undone any more: blind labels of cells that others have taken the place of."""
        self._histories = {who: history for who, history in self._histories.items() if not who}
