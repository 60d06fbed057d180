"""Which cells are worth a label, over all images: each way of choosing them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.effects import Rows
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.review import batch as says
from napari_cellstage.core.review.batch import Batch
from napari_cellstage.core.review.building import ImagePart
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.queue import (
    AUDIT,
    BY_MODEL,
    CLASS,
    IN_ORDER,
    MODES,
    RANDOM,
    UNCERTAIN,
    Waiting,
    at_random,
    most_telling,
    needed_class,
    of_class,
)
from napari_cellstage.core.review.waiting import every_cell, in_order, looks_of, waiting_of
from napari_cellstage.session.audit import AuditPart
from napari_cellstage.session.people import PeoplePart
from napari_cellstage.session.review import ReviewPart


class ChoosingPart(ReviewPart, AuditPart, PeoplePart):
    """Cells chosen, and nothing kept of it."""

    def next_cells(self, mode: str, count: int, but: CellRefs | None = None) -> CellRefs:
        """Choose cells without a label, of all images; those of the current image first.

        Parameters
        ----------
        mode
            One of `core.review.queue.MODES`. Where no cell was predicted, and in blind labelling, "uncertain" and
            "class" are by lot.
        count
            How many, at most.
        but
            Not these.

        Raises
        ------
        CellsError
            If there is no such mode.
        """
        return self._choose(mode, count, CellRefs() if but is None else but).cells

    def _choose(self, mode: str, count: int, but: CellRefs) -> Batch:
        check_mode(mode)
        if mode == IN_ORDER:
            return Batch(mode, self._after(None, count, but))
        if mode == AUDIT:
            return self._audit_batch(count, but)
        parts = self._known_parts()
        cells = every_cell(parts)
        free = self._free_cells(parts, but)
        waiting = waiting_of(parts, free, looks_of(parts))
        rows, really, why = self._rows_chosen(mode, waiting, cells, count)
        return Batch(really, in_order(cells.take(rows), self._current), why if len(rows) else says.NONE_LEFT)

    def _rows_chosen(self, mode: str, waiting: Waiting, cells: CellRefs, count: int) -> tuple[Rows, str, str]:
        """Return which cells, how they really were chosen, and why."""
        if mode in BY_MODEL and (self.blind or not waiting.predictable):
            why = says.BLIND if self.blind else says.NO_MODEL
            return at_random(cells, waiting.free, count), RANDOM, why
        if mode == UNCERTAIN:
            return most_telling(waiting, count), mode, says.UNSURE
        if mode == CLASS:
            return self._rows_of_class(waiting, count)
        return at_random(cells, waiting.free, count), mode, says.BY_LOT

    def _rows_of_class(self, waiting: Waiting, count: int) -> tuple[Rows, str, str]:
        counts, recalls = self.counts(), self._recalls()
        seen = set(np.unique(np.stack([waiting.predicted, waiting.runner_up])[:, waiting.free]).tolist())
        labels = {class_id: counts.get(class_id, 0) for class_id in self.scheme.ids if class_id in seen}
        wanted = needed_class(labels, {one: share for one, share in recalls.items() if one in seen})
        if not wanted:
            return most_telling(waiting, count), UNCERTAIN, says.no_class_text()
        why = says.of_class_text(self.scheme.by_id(wanted).name, labels[wanted], recalls.get(wanted))
        return of_class(waiting, wanted, count), CLASS, why

    def _recalls(self) -> dict[int, float]:
        """Return which share of each class models find that had not seen the cells."""
        unseen = self.unseen()
        if unseen is None:
            return {}
        right = unseen.predicted == unseen.truth
        places = {class_id: place for place, class_id in enumerate(unseen.classes.ids) if class_id in self.scheme.ids}
        shares = {one: right[unseen.truth == place] for one, place in places.items()}
        return {class_id: float(found.mean()) for class_id, found in shares.items() if len(found)}

    def _audit_batch(self, count: int, but: CellRefs) -> Batch:
        cells = self.audit_cells()
        if not len(cells):
            return Batch(AUDIT, CellRefs(), says.NOTHING_ASIDE)
        left = cells.take((self._ids_today(cells) == UNLABELLED) & ~cells.isin(but) & self._is_there(cells))
        return Batch(
            AUDIT,
            in_order(left.take(slice(count)), self._current),
            says.SET_ASIDE if len(left) else says.SET_ASIDE_DONE,
        )

    def _free_cells(self, parts: list[ImagePart], but: CellRefs) -> NDArray[np.bool_]:
        """Tell which cells may be asked for: without a label, not set aside, not among others."""
        aside = self._aside(but)
        free = [self._free_of(part.image_id, aside.get(part.image_id)) for part in parts]
        return np.concatenate(free or [np.zeros(0, dtype=bool)])

    def _free_of(self, image_id: int, aside: CellRefs | None) -> NDArray[np.bool_]:
        free: NDArray[np.bool_] = self.class_ids(image_id) == UNLABELLED
        if aside is not None:
            rows = self.rows_of(aside)
            free[rows[rows >= 0]] = False
        return free

    def _aside(self, but: CellRefs) -> dict[int, CellRefs]:
        """Return for each image the cells that are set aside, and those among others."""
        cells = CellRefs.joined((self.audit_cells(), but))
        return {image_id: cells.take(places) for image_id, places in cells.by_image().items()}

    def _known_parts(self) -> list[ImagePart]:
        """Return what is known of the images that can be shown."""
        parts = [self._part(one.image_id) for one in self.images if not one.missing]
        self._parts = (self._parts or {}) | {part.image_id: part for part in parts}
        return [part for part in parts if len(part.cells)]

    def _is_there(self, cells: CellRefs) -> NDArray[np.bool_]:
        shown = [one.image_id for one in self.images if not one.missing]
        return np.isin(cells.image_id, shown)

    def _after(self, row: int | None, count: int = 1, but: CellRefs | None = None) -> CellRefs:
        """Return the next cells in reading order: the rest of this image, its beginning, then the other images."""
        from napari_cellstage.core.reading_order import rows_after

        numbers = [one.image_id for one in self.images if not one.missing]
        start = numbers.index(self._current) if self._current in numbers else 0
        aside = self._aside(CellRefs() if but is None else but)
        waiting = {one.image_id for one in self.image_states() if one.cells is None or one.labelled < one.cells}
        found: list[CellRefs] = []
        for image_id in (one for one in numbers[start:] + numbers[:start] if one in waiting):
            after = row if image_id == self._current else None
            rows = rows_after(self.cells(image_id), after)
            rows = rows[rows != after] if after is not None else rows
            free = self._free_of(image_id, aside.get(image_id))
            found.append(CellRefs.of(image_id, self.cells(image_id), rows[free[rows]]))
            if sum(map(len, found)) >= count:
                break
        return CellRefs.joined(found).take(slice(count))


def check_mode(mode: str) -> None:
    """Refuse what is no way of choosing.

    Raises
    ------
    CellsError
        If there is no such mode.
    """
    if mode not in MODES:
        ways = ", ".join(f"'{one}'" for one in MODES)
        raise CellsError(f"There is no way '{mode}' to choose the next cell. Use one of {ways}.")
