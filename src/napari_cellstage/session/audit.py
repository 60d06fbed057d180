"""The audit set: random cells set aside, which no training and no choice ever sees, to check the final model on.

They are drawn from all cells, labelled or not, so that they stand for the whole project. Entries name the version of
a segmentation: when cells are found again the cells that lie where they were are set aside in their place, and undo
brings back those of before. A cell that is deleted, or that nothing follows, is not set aside any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.audit_table import AuditEntry
from napari_cellstage.core.carry_over import CarryOver, heirs_of
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.predictions import NEITHER
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.core.store import Project
from napari_cellstage.session.browsing import BrowsingPart

if TYPE_CHECKING:
    from napari_cellstage.core.scoring.scores import Scores

_WANTED = "cells set aside"


@dataclass(frozen=True)
class AuditState:
    """How far the check has come.

    Parameters
    ----------
    wanted
        How many cells were asked for.
    count
        How many are set aside; fewer where cells have gone since.
    labelled
        How many of them have a label.
    """

    wanted: int = 0
    count: int = 0
    labelled: int = 0


class AuditPart(BrowsingPart):
    """Cells set aside."""

    audit_changed = Signal()

    _audit: list[AuditEntry]
    _audit_of: tuple[Project | None, dict[int, int]] | None = None

    def set_audit(self, count: int, seed: int = 0) -> CellRefs:
        """Set random cells aside; those that are already stay, more are added. Return all of them.

        Parameters
        ----------
        count
            How many in all. Images give cells by how many they have.
        seed
            Same cells in the project, same seed: same draw.

        Raises
        ------
        CellsError
            If there are too few cells, or more are set aside already.
        """
        have, total = self.audit_cells(), sum(self._cells_of_images().values())
        if not len(have) <= count <= total:
            raise CellsError(_wrong_count(count, len(have), total))
        if more := self._drawn(count, seed, have):
            self._space.writable.journal.put_audit(more)
        self.put_setting(_WANTED, count)
        self._forget_audit()
        return self.audit_cells()

    def clear_audit(self) -> None:
        """Give all cells that are set aside back to training; once it has seen them they can check no model."""
        if entries := self._entries():
            self._space.writable.journal.put_audit(entries, aside=False)
        self.put_setting(_WANTED, 0)
        self._forget_audit()

    def audit_cells(self) -> CellRefs:
        """Return the cells that are set aside and still there, in the order in which they were drawn."""
        entries = [one for one in self._entries() if one.image_id in self._space.entries]
        columns = np.array([(e.image_id, e.t, e.cell_id) for e in entries], dtype=np.int64).reshape(-1, 3).T
        cells = CellRefs(*columns)
        return cells.take(self.rows_of(cells) >= 0)

    def audit_mask(self, image_id: int | None = None) -> NDArray[np.bool_]:
        """Return which rows of an image are set aside, ``(N,)``."""
        mask = np.zeros(len(self.cells(image_id)), dtype=bool)
        if image_id is None and self._current is None:
            return mask
        names = [(e.t, e.cell_id) for e in self._entries() if e.image_id == self._id(image_id)]
        columns = np.array(names, dtype=np.int64).reshape(-1, 2).T
        rows = self._image(image_id).rows_of(*columns)
        mask[rows[rows >= 0]] = True
        return mask

    def audit_state(self) -> AuditState:
        """Return how many cells are set aside, and how many of them have a label."""
        wanted = self.setting(_WANTED)
        cells = self.audit_cells()
        labelled = sum(int((ids != UNLABELLED).sum()) for _, _, ids in self._labels_of(cells))
        return AuditState(wanted if isinstance(wanted, int) else 0, len(cells), labelled)

    def training_counts(self) -> dict[int, int]:
        """Return how many cells of each class training would see, of the classes that it would see any of."""
        aside = self.audit_counts()
        left = {class_id: count - aside.get(class_id, 0) for class_id, count in self.counts().items() if class_id}
        left = {class_id: count for class_id, count in left.items() if class_id not in self.left_out}
        return {class_id: count for class_id, count in left.items() if count > 0}

    def audit_counts(self) -> dict[int, int]:
        """Return how many cells that are set aside have each class; no image is read for it, but in blind mode."""
        if self.project is None or not self._entries():
            return {}
        if self._space.only:  # the database counts the labels that all share
            ids = np.concatenate([one for _, _, one in self._labels_of(self.audit_cells())] or [np.zeros(0, np.int64)])
            return {int(i): int(n) for i, n in zip(*np.unique(ids[ids > 0], return_counts=True), strict=True)}
        shown = {i: version for i, version in self._space.tally.versions.items() if i in self._space.entries}
        return self.project.journal.audit_classes(shown)

    def audit_scores(self) -> Scores | None:
        """Score the latest predictions on the labelled cells that are set aside; None where there are none.

        A cell that the model was trained on, or that chose between models, before it was set aside does not count.
        """
        from napari_cellstage.core.scoring.audit_scores import AuditPiece, score_audit

        pieces = []
        for image_id, rows, ids in self._labels_of(self.audit_cells()):
            if found := self.predictions(image_id):
                out = [one for one in self.left_out if one not in found.class_ids]  # the model was not asked for these
                ids = np.where(np.isin(ids, out), UNLABELLED, ids)
                told = (ids != UNLABELLED) & (found.part[rows] == NEITHER) & ~np.isnan(found.probabilities[rows, 0])
                values = found.probabilities[rows[told]]
                accepted = int((self.origins(image_id, rows[told]) == "accepted").sum())
                pieces.append(AuditPiece(image_id, ids[told], values, found.class_ids, accepted))
        return score_audit(pieces, self.scheme)

    def set_labels(
        self, labels: Any, image_id: int | None = None, continues: bool = False, found_in: str = ""
    ) -> CarryOver:
        """Put a segmentation in place, see `CellsPart.set_labels`; what follows the cells set aside is so as well."""
        wanted = self._id(image_id)
        old = [one for one in self._entries() if one.image_id == wanted]
        before = self._image(wanted)
        before = AnnotatedImage(before.labels, before.cells, {}, before.version) if old else before
        result = super().set_labels(labels, image_id, continues, found_in)
        if old and (volume := self.labels(wanted)) is not None:
            heirs = heirs_of(before, [(one.t, one.cell_id) for one in old], volume)
            version = self._space.tally.versions[wanted]
            kept = {AuditEntry(wanted, version, *name, old[0].seed) for name in heirs if name is not None}
            self._space.writable.journal.put_audit(sorted(kept))
        self._forget_audit()
        return result

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need; cells that are set aside say so."""
        frozen = super().snapshot()
        if not self._entries() or not isinstance(frozen.images, Images):
            return frozen
        aside: dict[int, list[tuple[int, int]]] = {}
        for one in self._entries():
            aside.setdefault(one.image_id, []).append((one.t, one.cell_id))
        extras = {i: {"aside": tuple(names)} for i, names in aside.items() if i in frozen.images.readers}
        return replace(frozen, images=frozen.images.with_extras(extras))

    def _entries(self) -> list[AuditEntry]:
        """Return what the journal says of the segmentations that count now."""
        key = (self.project, dict(self._space.tally.versions))
        if self._audit_of is None or self._audit_of[0] is not key[0] or self._audit_of[1] != key[1]:
            self._audit = self.project.journal.audit(key[1]) if self.project else []
            self._audit_of = key
        return self._audit

    def _forget_audit(self) -> None:
        self._audit_of = None
        self.audit_changed.emit()

    def _cells_of_images(self) -> dict[int, int]:
        counts = self._space.tally.cells
        return {i: counts[i] for i in sorted(self._space.entries) if counts.get(i)}

    def _drawn(self, count: int, seed: int, have: CellRefs) -> list[AuditEntry]:
        """Return more cells in one random order of all, so that more cells are the same ones and some besides."""
        counts = self._cells_of_images()
        ids, starts = np.array(list(counts)), np.concatenate(([0], np.cumsum(list(counts.values()))))
        order = np.random.default_rng(seed).permutation(int(starts[-1]))
        taken = {int(place) for place in self._places(have, ids, starts)}
        chosen = [place for place in order[: count + len(taken)].tolist() if place not in taken]
        entries = []
        for place in chosen[: count - len(have)]:
            image_id = int(ids[np.searchsorted(starts, place, side="right") - 1])
            entries.append(self._entry(image_id, place - int(starts[list(counts).index(image_id)]), seed))
        return entries

    def _places(self, cells: CellRefs, ids: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(cells):
            return np.zeros(0, dtype=np.int64)
        places: NDArray[np.int64] = starts[np.searchsorted(ids, cells.image_id)] + self.rows_of(cells)
        return places

    def _entry(self, image_id: int, row: int, seed: int) -> AuditEntry:
        cells, version = self.cells(image_id), self._space.tally.versions.get(image_id, 0)
        return AuditEntry(image_id, version, int(cells.t[row]), int(cells.cell_id[row]), seed)

    def _labels_of(self, cells: CellRefs) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Return image, rows and class ids of cells."""
        rows = self.rows_of(cells)
        return [(i, rows[places], self.class_ids(i)[rows[places]]) for i, places in cells.by_image().items()]


def _wrong_count(count: int, have: int, total: int) -> str:
    if count > total:
        return f"There are {total:,} cells, so {count:,} can't be set aside. Find more cells, or set fewer aside."
    return (
        f"{have:,} cells are set aside already, so {count:,} would give some back to training, and they could check "
        f"no model any more. Ask for {have} or more, or give all of them back."
    )
