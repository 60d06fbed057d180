"""Where images are from and what was done to them: plate, well, treatment, dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from psygnal import Signal

from napari_cellstage.core import acts
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.label_scopes import ClassedBy, classes_by
from napari_cellstage.core.marks import origin_number
from napari_cellstage.core.plates import source_names
from napari_cellstage.core.scoring.split_groups import SPLITS, SplitBy, split_groups
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.core.store import Project
from napari_cellstage.session.told_apart import TaskPart

_SPLIT_BY = "split by"


class FactsPart(TaskPart):
    """Facts of images. They are no labels: setting them again is the way back, undo leaves them alone."""

    facts_changed = Signal()

    _facts: dict[int, ImageFacts]
    _facts_of: Project | None = None

    def facts(self, image_id: int | None = None) -> ImageFacts:
        """Return what is known of an image; empty facts when nothing is."""
        return self.facts_all().get(self._id(image_id), ImageFacts())

    def facts_all(self) -> dict[int, ImageFacts]:
        """Return the facts of every image that has any, by its number."""
        return {i: said for i, said in self._stored_facts().items() if i in self._space.entries}

    def _stored_facts(self) -> dict[int, ImageFacts]:
        """Return the facts of images that were removed, too."""
        project = self.project
        if project is None:
            return {}
        if self._facts_of is not project:
            self._facts, self._facts_of = project.journal.facts(), project
        return self._facts

    def set_facts(self, facts: Mapping[int, ImageFacts]) -> None:
        """Put facts in place of what was known of these images: all of them on the disk, or none."""
        known = self._stored_facts()
        given = {self._id(image_id): said for image_id, said in facts.items()}
        changed = {i: said for i, said in given.items() if said != known.get(i, ImageFacts())}
        if not changed:
            return
        self._space.writable.journal.put_facts(changed)
        self._facts = {i: said for i, said in sorted((known | changed).items()) if said}
        self.facts_changed.emit()

    @property
    def split_by(self) -> SplitBy:
        """What the cells that measure a model's score must not share with those it is trained on."""
        stored = self.setting(_SPLIT_BY)
        return cast(SplitBy, stored) if stored in SPLITS else "auto"

    @split_by.setter
    def split_by(self, by: SplitBy) -> None:
        self.put_setting(_SPLIT_BY, by)

    def class_counts(self) -> dict[int, dict[int, int]]:
        """Return how many cells of each image have each class, 0 for none; of images whose cells are counted."""
        counts = {}
        for image_id, total in self._space.tally.cells.items():
            if image_id not in self._space.entries:
                continue
            given = {i: n for i, n in self._space.tally.classes.get(image_id, {}).items() if n}
            counts[image_id] = {UNLABELLED: max(total - sum(given.values()), 0)} | given
        return counts

    def label_by(self, by: ClassedBy, keep: bool = False) -> int:
        """Make a class of each dose or treatment, and give every image of which it is known its own.

        Parameters
        ----------
        by
            ``"dose"`` or ``"treatment"``.
        keep
            Leave labels that cells have.

        Returns
        -------
        int
            How many labels changed; one undo takes all back, classes too.
        """
        labelled = any(map(self.labels_with, self.scheme.ids))
        made = classes_by(by, self.facts_all(), self.scheme, labelled)
        images = [(image_id, self._space.image(self._id(image_id))) for image_id in made.class_of]
        given = acts.label_images(images, self._space.image_classes, made.class_of, origin_number("well"), keep)
        edit = acts.with_scheme(given, self.scheme, made.scheme, self._space.image_classes)
        if edit.labels or edit.image_classes or edit.scheme:
            self._do(edit)
        return sum(len(change.t) for change in edit.labels)

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need; images that are split by well or plate say so."""
        frozen, known = super().snapshot(), self.facts_all()
        if not known or not isinstance(frozen.images, Images):
            return frozen
        counts = self.class_counts()
        classes = {i: [one for one, n in counts.get(i, {}).items() if one and n] for i in frozen.images.readers}
        groups = split_groups(known, classes, self.split_by)
        cells = {i: sum(some.values()) for i, some in counts.items()}
        extras = {i: _extras(known.get(i, ImageFacts()), groups[i], cells.get(i, 0)) for i in classes}
        return replace(frozen, images=frozen.images.with_extras(extras))

    def source_names(self) -> dict[int, str]:
        """Return what a `core.plates.NamePattern` reads of each image; its name where it was never a file."""
        entries = self._space.entries
        own = None if self.project is None else self.project.folder
        places = {i: _place(entry.place, entry.record, own) for i, entry in entries.items()}
        return {i: name or entries[i].name for i, name in source_names(places).items()}


def _extras(facts: ImageFacts, group: str, cells: int) -> dict[str, Any]:
    """Return what a snapshot says of an image; without groups each image is its own."""
    alone = group.startswith("image ") or not cells
    return {"plate": facts.plate} | ({} if alone else {"groups": np.full(cells, group)})


def _place(path: Path, record: object, own: Path | None) -> tuple[Path | None, str]:
    """Return file and scene of an image; None for one whose pixels the project keeps, as that name tells nothing."""
    inside = own is not None and path.is_relative_to(own)
    return (None if inside else path), str(getattr(record, "scene", ""))
