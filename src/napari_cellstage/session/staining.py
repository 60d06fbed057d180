"""Predicted stains of the project's images, and what training a network that predicts them gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replaced
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predicted import PredictedStain, Prediction
from napari_cellstage.core.scoring.split_groups import split_groups
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.core.stain_snapshot import StainImage, StainSnapshot
from napari_cellstage.session.facts import FactsPart

if TYPE_CHECKING:
    from napari_cellstage.core.stain_channels import StainChannel
    from napari_cellstage.core.stain_files import KeptPrediction
    from napari_cellstage.stain.run_records import StainRun

_TOLD = 3  # images whose stains are lost; of more it is said at once


class StainingPart(FactsPart):
    """Stains that were predicted, each one more channel of its image. They are no labels: undo leaves them alone.

    Removing one touches no cell and no label; predicting it again is the way back.
    """

    stains_changed = Signal(int)  # image_id: it has other predicted stains now
    stain_runs_changed = Signal()

    _stain_runs: tuple[Path, tuple[StainRun, ...]] | None = None
    _stain_snapshots: dict[int, Path] | None = None  # the project of each

    def stains(self, image_id: int | None = None) -> tuple[PredictedStain, ...]:
        """Return the predicted stains of an image, in the order of its channels.

        They lie behind the channels of its file, so that `session.channel_names` ends with their names.
        """
        nothing_open = image_id is None and self._current is None
        return () if nothing_open else tuple(one.stain for one in self._space.entries[self._id(image_id)].stains)

    def stain_channel(self, image_id: int, name: str) -> StainChannel:
        """Return a predicted stain with what reads its uncertainty, and the map of what is unlike.

        Raises
        ------
        ImageError
            If the image has no such stain.
        """
        entry = self._space.entries[self._id(image_id)]
        found = next((one for one in entry.stains if one.stain.name == name), None)
        if found is None:
            names = ", ".join(f"'{one.stain.name}'" for one in entry.stains) or "none"
            raise ImageError(f"'{entry.name}' has no predicted stain '{name}', it has {names}. Choose one of those.")
        return found

    def add_stains(
        self,
        image_id: int,
        prediction: Prediction | KeptPrediction,
        run: str | Path,
        replace: bool = False,
        version: int | None = None,
    ) -> tuple[str, ...]:
        """Keep predicted stains of an image with the project, as channels of it; return their names.

        Parameters
        ----------
        image_id
            The image.
        prediction
            What `stain.predict.predict_stains` returned; or what `StainSnapshot.keep` made of it, in the worker: of a
            large image, writing it here takes seconds.
        run
            Which model it is from: a run of the project, or the folder of one from elsewhere.
        replace
            Put each in place of the one of that stain that is there, whichever run it is from. Otherwise one of the
            same run is replaced, and one of another run stays: the new one is called ``"DNA (predicted by RUN)"``.
        version
            Number of the `stain_snapshot` that it is the answer to: where another project is open by now, nothing is
            kept and nothing returned.

        Raises
        ------
        ImageError
            If it does not fit the image.
        ProjectError
            If it can't be written; then nothing has changed.
        """
        if version is not None and (self._stain_snapshots or {}).get(version) != self._space.project.folder:
            return ()
        entry = self._space.entries[self._id(image_id)]
        store = self._space.writable.stains
        made, names = store.add(entry.record, entry.stains, prediction, Path(run).name, replace)
        self._put_stains(image_id, made)
        return names

    def remove_stain(self, image_id: int, name: str) -> None:
        """Take a predicted stain off an image, by the name of its channel; cells found in it and labels stay.

        Raises
        ------
        ImageError
            If the image has no such stain.
        """
        entry = self._space.entries[self._id(image_id)]
        self._put_stains(image_id, self._space.writable.stains.remove(image_id, entry.stains, name))

    def stain_runs(self) -> tuple[StainRun, ...]:
        """Return what is known of each trained stain model of the project, the newest first."""
        if self.project is None:
            return ()
        folder = self.project.runs
        if self._stain_runs is None or self._stain_runs[0] != folder:
            from napari_cellstage.stain.run_records import list_stain_runs

            self._stain_runs = folder, list_stain_runs(folder)
        return self._stain_runs[1]

    def note_stain_run(self) -> None:
        """Look at the run folders again, as there is another one; tells `stain_runs_changed`."""
        self._stain_runs = None
        self.stain_runs_changed.emit()

    def stain_snapshot(self, image_ids: Sequence[int] | None = None) -> StainSnapshot:
        """Freeze images, all of the project when None, for training and prediction of stains in a worker.

        Raises
        ------
        ProjectError
            If no project is open, or it has no such image.
        """
        project = self._space.project
        self._snapshots += 1
        self._stain_snapshots = (self._stain_snapshots or {}) | {self._snapshots: project.folder}
        wanted = list(self._space.entries) if image_ids is None else [self._id(one) for one in image_ids]
        groups = self._stain_groups()
        images = (self._stain_image(self._space.entries[one], groups[one]) for one in wanted)
        return StainSnapshot(tuple(images), self._snapshots, project.runs, project.cache)

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need; images whose cells were found in a predicted stain say so."""
        frozen = super().snapshot()
        if not self._space.found_in or not isinstance(frozen.images, Images):
            return frozen
        extras = {i: {"found_in": name} for i in frozen.images.readers if (name := self.found_in(i))}
        return replaced(frozen, images=frozen.images.with_extras(extras))

    @property
    def problems(self) -> tuple[str, ...]:
        """What the user should know about the open project, each as a sentence; empty when all is well."""
        told = self.project.stains.problems if self.project else {}
        lost = tuple(text for image_id, text in told.items() if image_id in self._space.entries)
        if len(lost) > _TOLD:
            lost = (f"{len(lost)} images are shown without predicted stains that can't be read. The first: {lost[0]}",)
        return (*super().problems, *lost)

    def save_project_as(self, folder: Path | str) -> None:
        """Copy the project and go on there, see `ProjectPart.save_project_as`; what is being predicted comes along."""
        before = self._space.project.folder
        super().save_project_as(folder)
        here, asked = self._space.project.folder, self._stain_snapshots or {}
        self._stain_snapshots = {n: here if place == before else place for n, place in asked.items()}
        if self._current is not None and self.stains():
            self.stains_changed.emit(self._current)  # who shows them reads those of the project that was left

    def _put_stains(self, image_id: int, stains: Sequence[StainChannel]) -> None:
        self._space.put_stains(image_id, stains)
        self.stains_changed.emit(image_id)
        if image_id == self._current:
            self.settings_changed.emit()  # choices of channels are made by name, and may be others now

    def _stain_groups(self) -> dict[int, str]:
        """Return what a split must not cut, of every image: wells or plates where the project is split by these."""
        known = self.facts_all()
        by = "well" if self.split_by == "auto" and any(one.well for one in known.values()) else self.split_by
        return split_groups(
            {i: known.get(i, ImageFacts()) for i in self._space.entries}, dict.fromkeys(self._space.entries, ()), by
        )

    def _stain_image(self, entry: ImageEntry, group: str) -> StainImage:
        return StainImage(entry.image_id, entry.name, entry.channel_names, group, partial(_opened, entry))


def _opened(entry: ImageEntry) -> ImageStack | None:
    return entry.reopened()
