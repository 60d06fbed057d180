"""The runs of the project: what each training left, its score, and two of them compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.session.browsing import BrowsingPart

if TYPE_CHECKING:
    from napari_cellstage.core.review.comparing import RunComparison
    from napari_cellstage.learn.run_records import RunRecord

UNSEEN_FILE = "unseen.npz"
_KEPT = 4  # runs whose answers stay in memory
_Key = tuple[Path, int, tuple[tuple[int, int], ...]]  # file, when written, versions of segmentations


class RunsPart(BrowsingPart):
    """Runs of the project, from what is in their folders."""

    runs_changed = Signal()  # other runs, or another one is reviewed

    _records: tuple[RunRecord, ...] | None = None
    _records_of: Path | None = None
    _names: frozenset[str] = frozenset()  # of the runs when their folders were read last
    _reviewed: str = ""
    _answers_read: dict[_Key, Unseen] | None = None

    def runs(self) -> tuple[RunRecord, ...]:
        """Return what is known of each run, the newest first."""
        folder = self._runs_folder()
        if folder is None:
            return ()
        if self._records is None or self._records_of != folder:
            from napari_cellstage.learn.run_records import list_runs

            if self._records_of != folder:
                self._reviewed = ""
            self._records, self._records_of = list_runs(folder), folder
            self._names = frozenset(one.name for one in self._records)
        return self._records

    def run(self, name: str) -> RunRecord | None:
        """Return what is known of a run, None when there is none of that name."""
        return next((one for one in self.runs() if one.name == name), None)

    @property
    def review_run(self) -> str:
        """The run that is reviewed: the one chosen or trained last, else that of the predictions, else the newest.

        Only a run with answers for cells that its models had not seen can be reviewed; empty when there is none.
        """
        able = [one.name for one in self.runs() if one.has_unseen]
        if self._reviewed not in able:
            latest = self._predicted_by() if able else ""
            in_turn = sorted(able, key=lambda name: name != latest)
            self._reviewed = next((name for name in in_turn if self.unseen_then(name) is not None), "")
        return self._reviewed

    @review_run.setter
    def review_run(self, name: str) -> None:
        found = self.run(name)
        if found is None:
            raise ModelError(f"The project has no run '{name}'. Choose one of those in the table of runs.")
        if self.unseen_then(name) is None:
            raise ModelError(
                f"Run '{name}' has no predictions for cells that its model had not seen, so there is nothing to "
                "review. Cross-validate it, or train again with more labels."
            )
        if name != self.review_run:
            self._reviewed = name
            self._tell_runs()

    def note_run(self, name: str = "") -> None:
        """Look at the run folders again, as one has been added or has got more files; a new one is reviewed next."""
        self._records = self._answers_read = None
        if name and name not in self._names:
            self._reviewed = name
        self._tell_runs()

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answers to the snapshot of a version, and note the run they are of; see `WorkPart`."""
        kept = super().set_predictions(answers, version)
        if run := next((one.run for one in answers.values() if one.run), ""):
            self.note_run(run)
        return kept

    def unseen(self, run: str | None = None) -> Unseen | None:
        """Return what models said about cells that they had not seen, with the labels and names of classes of today.

        Parameters
        ----------
        run
            Name of a run; None for the reviewed one.

        Returns
        -------
        Unseen or None
            Without cells that are gone or have no label now; None when the run has no such answers.
        """
        stored = self.unseen_then(run)
        if stored is None:
            return None
        today = stored.relabelled(self._ids_today(stored.cells))
        return replace(today, classes=today.classes.named_as(self.scheme))

    def unseen_then(self, run: str | None = None) -> Unseen | None:
        """Return the same as it was written, with the labels that the training saw.

        Without images whose cells were found again since: a name of then may be that of another cell now.
        """
        name, folder = self.review_run if run is None else run, self._runs_folder()
        if not name or folder is None:
            return None
        file, versions = folder / name / UNSEEN_FILE, self._space.tally.versions
        key = (file, file.stat().st_mtime_ns if file.is_file() else 0, tuple(versions.items()))
        read = self._answers_read or {}
        if key not in read:
            found = self._read_answers(name, file)
            if found is None:
                return None
            renamed = self._space.project.journal.found_again(found.moment, versions)
            read[key] = found.take(~np.isin(found.cells.image_id, list(renamed))) if renamed else found
            self._answers_read = dict(list(read.items())[-_KEPT:])
        return read[key] if len(read[key]) else None

    def _read_answers(self, name: str, file: Path) -> Unseen | None:
        """Read the answers of a run; where they can't be used the run is noted as one without, and why."""
        try:
            found, problem = Unseen.load(file), ""
        except ModelError as error:
            found, problem = None, str(error)
        if found is not None and len(found.cells) == len(found):
            return found
        self._records = tuple(
            replace(one, has_unseen=False, problem=problem or one.problem) if one.name == name else one
            for one in self.runs()
        )
        return None

    def changed_since(self, run: str | None = None) -> int:
        """Return how many cells that a run was judged on have another label, or none, since."""
        stored = self.unseen_then(run)
        if stored is None:
            return 0
        then = np.asarray(stored.classes.ids, dtype=np.int64)[stored.truth]
        return int((then != self._ids_today(stored.cells)).sum())

    def labels_seen(self, run: str | None = None) -> str:
        """Return when the last label was given that a run was judged by, ISO 8601; empty where nobody knows.

        A run may be cross-validated long after it was trained, and labels change while a training goes on.
        """
        stored = self.unseen_then(run)
        return "" if stored is None or self.project is None else self.project.journal.time_of(stored.moment)

    def compare_runs(self, a: str, b: str) -> RunComparison:
        """Compare two runs on the cells that neither had seen, with the labels of today.

        Raises
        ------
        ModelError
            If one has no such answers, or they have no cell in common.
        """
        from napari_cellstage.core.review.comparing import compare_unseen

        found = {name: self.unseen(name) for name in (a, b)}
        for name, one in found.items():
            if one is None:
                raise ModelError(
                    f"Run '{name}' has no predictions for cells that its model had not seen, so it can't be compared. "
                    "Cross-validate it, or train again."
                )
        first, second = (one for one in (found[a], found[b]) if one is not None)
        return compare_unseen(first, second, (a, b))

    def _tell_runs(self) -> None:
        self.runs_changed.emit()

    def _runs_folder(self) -> Path | None:
        return None if self.project is None else self.project.runs

    def _predicted_by(self) -> str:
        """Return the run that the current image was predicted by."""
        found = None if self.current_id is None else self.predictions()
        return found.run if found else ""

    def _ids_today(self, cells: CellRefs) -> NDArray[np.int64]:
        """Return the class id of cells of any images; 0 for those that are gone."""
        ids = np.full(len(cells), UNLABELLED, dtype=np.int64)
        for image_id, places in cells.by_image().items():
            if image_id not in self._space.entries:
                continue
            image = self._space.image(image_id)
            rows = image.rows_of(cells.t[places], cells.cell_id[places])
            ids[places] = np.where(rows >= 0, np.append(image.class_ids, UNLABELLED)[rows], UNLABELLED)
        return ids
