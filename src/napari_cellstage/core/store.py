"""A project on disk: the folder ``NAME.cellstage``, its lock, and every file in it but the database.

Files are written beside their place, flushed and renamed, so that a name always holds a whole file. A file that
replaces another gets a new name first and is pointed to from the journal after, so the two can't disagree.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from platformdirs import user_documents_path

from napari_cellstage.core.database import OldFormatError
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageEntry, ImageRecord, reopened, write_pixels
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.journal import Journal
from napari_cellstage.core.presence import present
from napari_cellstage.core.project_lock import ProjectLock
from napari_cellstage.core.segmentations import Segmentations
from napari_cellstage.core.stain_snapshot import forget_untaken
from napari_cellstage.core.stain_store import StainStore
from napari_cellstage.core.whole_files import reason_of, write_whole

HOME_VARIABLE = "NAPARI_CELLSTAGE_HOME"
SUFFIX = ".cellstage"
DATABASE = "project.sqlite"
_KEPT = ("labels", "images", "predictions", "tracks", "stains", "runs")
_FOLDERS = (*_KEPT, "cache")


class Project:
    """An open project.

    Parameters
    ----------
    folder
        The project's folder.

    Raises
    ------
    ProjectError
        If the folder is missing, no project, can't be read, or is of a newer version.

    Notes
    -----
    When another process has the project open, or the folder can't be written, it is opened read-only:
    `read_only` is True and `reason` says why.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()
        _check_is_project(self.folder)
        self.segmentations = Segmentations(self.folder)
        self._lock = ProjectLock(self.folder)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        refused = self._lock.acquire()
        self.reason = f"'{self.name}' is open read-only: {refused}" if refused else ""
        try:
            self.journal = self._open_journal()
        except ProjectError:
            self._release()
            raise
        self.stains = StainStore(self.folder, self.journal)
        if not self.read_only:
            self._forget_bare_versions()
            self.stains.forget_unused()
            forget_untaken(self.cache)

    @classmethod
    def create(cls, folder: Path | str) -> Self:
        """Make an empty project and open it; a missing suffix ``.cellstage`` is added.

        Raises
        ------
        ProjectError
            If there is something already, or the place can't be written.
        """
        folder = with_suffix(Path(folder).expanduser())
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(f"'{folder}' is already there. Open it, or choose another name.")
        try:
            for name in _FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"A project can't be made in '{folder.parent}': {reason_of(error)}. "
                f"Choose a place that you may write to, or set {HOME_VARIABLE} to one."
            ) from error
        Journal.create(folder / DATABASE).close()
        return cls(folder)

    @property
    def name(self) -> str:
        """Name of the folder without its suffix."""
        return self.folder.name.removesuffix(SUFFIX)

    @property
    def read_only(self) -> bool:
        """True when nothing can be changed; `reason` says why."""
        return bool(self.reason)

    @property
    def runs(self) -> Path:
        """Folder of the training runs."""
        return self.folder / "runs"

    @property
    def cache(self) -> Path:
        """Folder of what can be computed again; it may be deleted at any time."""
        return self.folder / "cache"

    def close(self) -> None:
        """Close the database and give the lock back."""
        self.journal.close()
        self._release()

    def copy_to(self, folder: Path | str) -> Project:
        """Copy everything to a new project and return it, open."""
        if Path(folder).expanduser().absolute().is_relative_to(self.folder):
            raise ProjectError(f"'{folder}' is inside the project itself. Choose a place outside '{self.folder}'.")
        target = Project.create(folder)
        target.close()
        try:
            for name in _KEPT:
                if (self.folder / name).is_dir():
                    shutil.copytree(self.folder / name, target.folder / name, dirs_exist_ok=True)
            self.journal.copy_to(target.folder / DATABASE)
        except (OSError, ProjectError) as error:
            shutil.rmtree(target.folder, ignore_errors=True)
            raise ProjectError(
                f"The project can't be copied to '{target.folder}': {reason_of(error)}. "
                "The project itself is unchanged. Free disk space or choose another place."
            ) from error
        copy = Project(target.folder)
        for record in copy.journal.images():
            copy.journal.put_image(record.copied(self.folder, copy.folder))
        return copy

    def write_predictions(self, image_id: int, version: int, named: dict[str, Any]) -> None:
        """Store arrays that go with a version of an image's cells; no pickle."""

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **named)

        write_whole(self._predictions(image_id, version), write)

    def read_predictions(self, image_id: int, version: int) -> dict[str, Any] | None:
        """Read what `write_predictions` wrote; None when there is nothing that can be read."""
        try:
            with self._predictions(image_id, version).open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None  # predictions can be made again; labels are elsewhere

    def _forget_bare_versions(self) -> None:
        """Delete segmentations that were tried and replaced before anything was labelled on them."""
        for image_id, version in self.journal.bare_versions():
            self.segmentations.forget(image_id, version)
            for folder in ("predictions", "tracks"):
                with contextlib.suppress(OSError):
                    (self.folder / folder / f"{image_id}-{version}.npz").unlink(missing_ok=True)

    def add_images(self, stacks: Sequence[ImageStack]) -> tuple[ImageEntry, ...]:
        """Note where images are, or keep the pixels of those that have no file; all or none."""
        first = self.journal.next_image_id()
        entries = tuple(self._entry(first + place, stack) for place, stack in enumerate(stacks))
        self.journal.put_image(*(entry.record for entry in entries))
        return entries

    def _entry(self, image_id: int, stack: ImageStack) -> ImageEntry:
        if stack.path is not None:
            path = stack.path.absolute()
        else:
            path = self.folder / "images" / f"{image_id}.ome.tif"
            write_whole(path, lambda part: write_pixels(stack, part))
        return ImageEntry(ImageRecord.of(image_id, stack, path, self.folder), path, stack)

    def images(self) -> dict[int, ImageEntry]:
        """Return the images by number, none of them opened yet, but each looked for."""
        records = self.journal.images()
        noted = present(Path(record.path) for record in records)
        moved = [r for r in records if Path(r.path) not in noted and r.relative_path]
        beside = {r.image_id: Path(os.path.normpath(self.folder / r.relative_path)) for r in moved}
        found = present(beside.values())
        stains = self.stains.attached({record.image_id: record for record in records})
        entries = {}
        for record in records:
            other = beside.get(record.image_id)
            place = other if other in found and other is not None else Path(record.path)
            absent = place not in noted and place not in found
            entries[record.image_id] = ImageEntry(record, place, None, absent, stains.get(record.image_id, ()))
        return entries

    def relocate(self, entry: ImageEntry, path: Path) -> ImageEntry:
        """Note the new place of an image that has moved; `ImageError` when another image is there."""
        stack = reopened(entry.record, path)
        record = ImageRecord.of(entry.image_id, stack, path.absolute(), self.folder)
        self.journal.put_image(record)
        return ImageEntry(record, path, stack, stains=entry.stains)

    def relocate_all(self, places: dict[int, Path], entries: dict[int, ImageEntry]) -> dict[int, ImageEntry]:
        """Note the new places of images that have moved, without opening them."""
        records = {i: entries[i].record.moved(path.absolute(), self.folder) for i, path in places.items()}
        self.journal.put_image(*records.values())
        return {i: ImageEntry(record, places[i], stains=entries[i].stains) for i, record in records.items()}

    def _predictions(self, image_id: int, version: int) -> Path:
        return self.folder / "predictions" / f"{image_id}-{version}.npz"

    def _release(self) -> None:
        self._lock.release()
        if self._copy:
            self._copy.cleanup()

    def _open_journal(self) -> Journal:
        path = self.folder / DATABASE
        if self.read_only and not os.access(self.folder, os.W_OK):
            return self._copied_journal()
        try:
            return Journal(path, read_only=self.read_only)
        except OldFormatError:
            return self._copied_journal()

    def _copied_journal(self) -> Journal:
        """Open a copy in a place that may be written to: SQLite writes beside a WAL database even to read it."""
        self._copy = tempfile.TemporaryDirectory(prefix="cellstage-")
        for name in (DATABASE, f"{DATABASE}-wal"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, self._copy.name)
        return Journal(Path(self._copy.name) / DATABASE)


def default_home() -> Path:
    """Return where projects without a chosen place go: ``NAPARI_CELLSTAGE_HOME``, or Cellstage in the documents."""
    return Path(os.environ.get(HOME_VARIABLE) or user_documents_path() / "Cellstage").expanduser()


def with_suffix(folder: Path) -> Path:
    """Return the folder with ``.cellstage`` at the end of its name."""
    return folder if folder.name.endswith(SUFFIX) else folder.with_name(folder.name + SUFFIX)


def free_folder(home: Path, name: str) -> Path:
    """Return a folder in `home` for a project of this name that is not there yet.

    Characters that a file system may refuse become ``_``; all others, spaces and emoji too, stay.
    """
    plain = re.sub(r'[\x00-\x1f/\\:*?"<>|]+', "_", name).strip(" .") or "project"
    while len(plain.encode()) > 180:
        plain = plain[:-1]
    folder = home / (plain + SUFFIX)
    number = 2
    while folder.exists():
        folder = home / f"{plain} {number}{SUFFIX}"
        number += 1
    return folder


def find_project(home: Path, stack: ImageStack) -> Path | None:
    """Return the project in `home` that already holds an image, None when there is none."""
    for database in sorted(home.glob(f"*{SUFFIX}/{DATABASE}")):
        with contextlib.suppress(ProjectError):
            if any(record.is_image(stack) for record in _records(database)):
                return database.parent
    return None


def _records(database: Path) -> tuple[ImageRecord, ...]:
    try:
        journal = Journal(database, read_only=True)
    except OldFormatError:
        project = Project(database.parent)  # brings it up to date
        records = project.journal.images()
        project.close()
        return records
    records = journal.images()
    journal.close()
    return records


def _check_is_project(folder: Path) -> None:
    if not folder.exists():
        raise ProjectError(
            f"There is no project at '{folder}'. If it has been moved or renamed, open it from where it is now."
        )
    if not (folder / DATABASE).is_file():
        raise ProjectError(
            f"'{folder}' is no Cellstage project: it has no file '{DATABASE}'. Choose a folder named '….cellstage'."
        )
