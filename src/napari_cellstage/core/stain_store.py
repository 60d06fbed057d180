"""Predicted stains of a project on disk: ``stains/<image_id>-<version>.zarr``, never overwritten, and their table."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.errors import ImageError, ProjectError
from napari_cellstage.core.journal import Journal
from napari_cellstage.core.predicted import PredictedStain, Prediction, colour_of, free_name, predicted_name
from napari_cellstage.core.stain_channels import StainChannel
from napari_cellstage.core.stain_files import KeptPrediction, StainFiles, write_prediction
from napari_cellstage.core.whole_files import PART, reason_of

if TYPE_CHECKING:
    from napari_cellstage.core.image_records import ImageRecord

_FOLDER = re.compile(rf"(?:{re.escape(PART)})?(\d+)-(\d+)\.zarr")


class StainStore:
    """Predicted stains of the images of a project.

    Parameters
    ----------
    folder
        Of the project.
    journal
        Its database.

    Attributes
    ----------
    problems
        Sentences by image: which of its stains can't be shown, and why.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder / "stains", journal
        self._lost: dict[int, list[PredictedStain]] = {}
        self.problems: dict[int, str] = {}

    def attached(self, records: Mapping[int, ImageRecord]) -> dict[int, tuple[StainChannel, ...]]:
        """Return the stains of images; those that can't be read are left out, and named in `problems`."""
        self.problems, self._lost = {}, {}
        known = self._journal.stains()
        return {i: self._readable(records[i], some) for i, some in known.items() if i in records}

    def add(
        self,
        record: ImageRecord,
        there: Sequence[StainChannel],
        prediction: Prediction | KeptPrediction,
        run: str,
        in_place: bool,
    ) -> tuple[tuple[StainChannel, ...], tuple[str, ...]]:
        """Keep a prediction; return all stains that the image then has, and the names of those that are new.

        Parameters
        ----------
        record, there
            The image, and the stains that it has.
        prediction, run, in_place
            See `session.add_stains`.

        Raises
        ------
        ImageError
            If it does not fit the image.
        ProjectError
            If it can't be written; then nothing has changed.
        """
        version = self._next_version(record.image_id)
        place = self._folder / f"{record.image_id}-{version}.zarr"
        kept = self._put(prediction, place)
        try:
            stains = self._stains_of(kept, record, run, version, in_place)
            files = StainFiles.open(place)
            new = {one.name: StainChannel(one, files) for one in stains}
            _check_fits(record, new.values())
            made = _in_place_of(there, new, run)
            self._write(record.image_id, made)
        except (ImageError, ProjectError):
            shutil.rmtree(place, ignore_errors=True)
            raise
        return made, tuple(new)

    def remove(self, image_id: int, there: Sequence[StainChannel], name: str) -> tuple[StainChannel, ...]:
        """Take a stain off an image and return those that are left; its files stay until the next opening."""
        left = tuple(one for one in there if one.stain.name != name)
        if len(left) == len(there) and all(one.name != name for one in self._lost.get(image_id, [])):
            names = ", ".join(f"'{one.stain.name}'" for one in there) or "none"
            raise ImageError(f"The image has no predicted stain '{name}', it has {names}. Choose one of those.")
        self._write(image_id, left, name)
        return left

    def forget_unused(self) -> None:
        """Delete the files of stains that were removed or replaced, which no worker can be reading any more."""
        used = {(i, one.version) for i, some in self._journal.stains().items() for one in some}
        for name, place in self._folders():
            if name not in used:
                shutil.rmtree(place, ignore_errors=True)

    def _readable(self, record: ImageRecord, stains: Sequence[PredictedStain]) -> tuple[StainChannel, ...]:
        found = []
        for one in stains:
            try:
                channel = StainChannel(one, StainFiles.open(self._folder / f"{record.image_id}-{one.version}.zarr"))
                _check_fits(record, [channel])
                found.append(channel)
            except ImageError as error:
                lost = self._lost.setdefault(record.image_id, [])
                lost.append(one)
                names = ", ".join(f"'{stain.name}'" for stain in lost)
                self.problems[record.image_id] = f"'{record.name}' is shown without {names}. {error}"
        return tuple(found)

    def _stains_of(
        self, kept: KeptPrediction, record: ImageRecord, run: str, version: int, in_place: bool
    ) -> list[PredictedStain]:
        """Return what is to be known of the stains of a prediction, their names among it."""
        there = self._journal.stains().get(record.image_id, ())
        taken = {*record.channel_names, *(one.name for one in there)}
        colours = {one.colour for one in there}
        now = datetime.now(UTC).isoformat()
        made = []
        for place, stain in enumerate(kept.stain_names):
            name = _name_for(stain, run, there, taken, in_place)
            before = next((one.colour for one in there if one.name == name), "")
            colour = before or colour_of(stain, colours)
            taken.add(name)
            colours.add(colour)
            made.append(PredictedStain(name, stain, run, kept.verdict, kept.text, now, version, place, colour))
        return made

    def _write(self, image_id: int, channels: Sequence[StainChannel], without: str = "") -> None:
        """Note which stains an image has; those that can't be read today are not forgotten, but for the one removed."""
        names = {without, *(one.stain.name for one in channels)}
        lost = [one for one in self._lost.get(image_id, []) if one.name not in names]
        self._journal.put_stains(image_id, [*(one.stain for one in channels), *lost])
        self._lost[image_id] = lost
        if not lost:
            self.problems.pop(image_id, None)

    def _put(self, prediction: Prediction | KeptPrediction, place: Path) -> KeptPrediction:
        if not isinstance(prediction, KeptPrediction):
            return write_prediction(place, prediction)
        try:
            place.parent.mkdir(exist_ok=True)
            shutil.move(prediction.folder, place)  # the project may be on another drive by now
        except OSError as error:
            raise ProjectError(
                f"The predicted stains can't be put into '{place}': {reason_of(error)}. This change was not made; "
                "everything before it is safe. Free disk space or check the drive, and predict them again."
            ) from error
        return replace(prediction, folder=place)

    def _next_version(self, image_id: int) -> int:
        rows = (one.version for one in self._journal.stains().get(image_id, ()))
        return 1 + max((*rows, *(version for (image, version), _ in self._folders() if image == image_id)), default=0)

    def _folders(self) -> Iterator[tuple[tuple[int, int], Path]]:
        """Yield image and version of what is there, with its folder."""
        for place in sorted(self._folder.glob("*.zarr")):
            if found := _FOLDER.fullmatch(place.name):
                yield (int(found[1]), int(found[2])), place


def _name_for(stain: str, run: str, there: Sequence[PredictedStain], taken: Collection[str], in_place: bool) -> str:
    """Return the name for a stain: that of the one it replaces, else one that is free."""
    same = [one for one in there if one.stain == stain]
    plain = next((one.name for one in same if one.name == predicted_name(stain)), "")
    mine = next((one.name for one in same if one.run == run), "")
    return (plain if in_place else "") or mine or free_name(stain, run, taken)


def _in_place_of(there: Sequence[StainChannel], new: Mapping[str, StainChannel], run: str) -> tuple[StainChannel, ...]:
    """Return the stains with the new ones in the places of those that they replace, or at the end."""
    mine = {one.stain.stain for one in new.values()}
    kept = [
        new.get(one.stain.name, one)
        for one in there
        if one.stain.name in new or one.stain.run != run or one.stain.stain not in mine
    ]
    return (*kept, *(one for name, one in new.items() if all(known.stain.name != name for known in there)))


def _check_fits(record: ImageRecord, channels: Collection[StainChannel]) -> None:
    for one in channels:
        if not one.fits(record.shape):
            raise ImageError(
                f"'{one.stain.name}' was predicted for Z, Y, X of {one.files.kept.shape[2:]}, but '{record.name}' has "
                f"{tuple(record.shape[2:])} and {record.shape[0]} time points. Predict it for this image."
            )
