"""What the review shows: every cell with what a model that had not seen it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_cellstage.core.effects import Effects
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.building import ImagePart, Judged, TopTwo, blinded, build_table
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.table import ReviewTable
from napari_cellstage.core.workspace import Workspace
from napari_cellstage.session.suspects import SuspectsPart

if TYPE_CHECKING:
    from napari_cellstage.core.scoring.scores import Scores


class ReviewPart(SuspectsPart):
    """The table behind matrix, gallery, lists and map."""

    review_changed = Signal()  # once, until somebody asks for the table again: keys must not wait for it

    _table: ReviewTable | None = None
    _table_of: tuple[object, ...] = ()
    _parts: dict[int, ImagePart] | None = None
    _scored: tuple[str, Scores | None] | None = None

    def review_table(self) -> ReviewTable:
        """Return every cell of the project with its label and what is said of it; made when something has changed."""
        now = self._now()
        if self._table is None or self._table_of != now:
            made = self._made()
            self._table, self._table_of = blinded(made) if self._space.only else made, now
        return self._table

    def review_scores(self) -> Scores | None:
        """Return how good the reviewed run is on cells it had not seen, with the labels of today; None without any."""
        if self._space.only:
            return None  # who labels blind is not told what a model says of these labels
        run = self.review_run
        if self._scored is None or self._scored[0] != run:
            self._scored = (run, self._score(run))
        return self._scored[1]

    def _score(self, run: str) -> Scores | None:
        known, unseen = self.run(run), self.unseen(run)
        if unseen is None or not len(unseen):
            return None
        gone = [one.name for one in unseen.classes if one.id not in self.scheme.ids]
        scores = None if known is None or gone else known.scores
        same = scores is not None and (scores.n, scores.classes) == (len(unseen), unseen.classes.names)
        if same and not self.changed_since(run):
            return scores  # the very figures of the report and the card
        from napari_cellstage.core.scoring.scores import score_unseen

        return score_unseen(unseen, gone=gone)

    # when it is made again

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answers to the snapshot of a version; see `WorkPart`."""
        kept = super().set_predictions(answers, version)
        self._outdate()
        return kept

    def _now(self) -> tuple[object, ...]:
        return (self.project, self.review_run, tuple(self._space.entries), self._space.only)

    def _enter(self, space: Workspace) -> None:
        self._table = self._parts = self._scored = self._records = None
        self._skipped = CellRefs()
        super()._enter(space)
        self.runs_changed.emit()
        self.review_changed.emit()

    def _tell(self, effects: Effects) -> None:
        was_known = self._table is not None
        self._table = self._scored = None  # before anybody who hears of it asks
        super()._tell(effects)
        if was_known:
            self.review_changed.emit()

    def _tell_runs(self) -> None:
        super()._tell_runs()
        self._outdate()

    def _outdate(self) -> None:
        self._table = self._scored = None
        self.review_changed.emit()

    # making it

    def _made(self) -> ReviewTable:
        parts = [part for image_id in self._space.entries if len((part := self._part(image_id)).cells)]
        self._parts = {part.image_id: part for part in parts}
        return build_table(parts, self._judged(parts), self.scheme, self.review_run)

    def _part(self, image_id: int) -> ImagePart:
        """Return what is known of an image; what is as it was before is not worked out again."""
        image, found = self._space.image(image_id), self._space.predictions(image_id)
        old = (self._parts or {}).get(image_id)
        same_cells = old is not None and old.cells is image.cells
        refs = old.refs if old is not None and same_cells else CellRefs.of(image_id, image.cells)
        if old is not None and same_cells and old.predictions is found:
            top = old.top
        else:
            top = TopTwo.of(found.probabilities, found.class_ids) if found is not None and len(found) else None
        return ImagePart(image_id, image.cells, image.class_ids, found, top, refs)

    def _judged(self, parts: list[ImagePart]) -> Judged | None:
        unseen = self.unseen()
        if unseen is None or not len(unseen):
            return None
        from napari_cellstage.core.review.suspects import suspicion

        starts = dict(zip((p.image_id for p in parts), np.cumsum([0, *(len(p.cells) for p in parts)]), strict=False))
        rows = np.zeros(len(unseen), dtype=np.int64)
        for image_id, places in unseen.cells.by_image().items():
            image = self._space.image(image_id)  # its cells are there: they have a label today
            rows[places] = starts[image_id] + image.rows_of(unseen.cells.t[places], unseen.cells.cell_id[places])
        top = TopTwo.of(unseen.probabilities, unseen.classes.ids)
        return Judged(unseen, top, suspicion(unseen), rows)
