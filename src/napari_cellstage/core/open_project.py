"""The open project: its images, its settings, and whether it may be written to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.edits import HiddenChange
from napari_cellstage.core.errors import ProjectError, ReadOnlyError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.relocating import Relocated, found_again
from napari_cellstage.core.stain_channels import StainChannel, without_stains
from napari_cellstage.core.store import Project
from napari_cellstage.core.tally import ImageState, Tally

Known = dict[tuple[str, str], list[ImageEntry]]
Identity = tuple[str, str, str, tuple[int, ...]]


class OpenProject:
    """Images, settings and counts of a project.

    Parameters
    ----------
    project
        The project; closed with this. None for none yet.
    """

    def __init__(self, project: Project | None = None) -> None:
        self._project = project
        self.scheme = project.journal.scheme() if project else ClassScheme()
        self.settings: dict[str, Any] = project.journal.settings() if project else {}
        gone = project.journal.hidden_images() if project else set()
        images = project.images() if project else {}
        self.entries = {image_id: entry for image_id, entry in images.items() if image_id not in gone}
        self.hidden = {image_id: entry for image_id, entry in images.items() if image_id in gone}
        self.tally = Tally(project.journal if project else None, self.hidden)
        self.found_in = project.journal.found_in() if project else {}
        self.problems: dict[int, str] = {0: project.reason} if project and project.reason else {}

    @property
    def has_project(self) -> bool:
        """True when there is a project behind it."""
        return self._project is not None

    @property
    def project(self) -> Project:
        """The project; `ProjectError` when there is none."""
        if self._project is None:
            raise ProjectError("No project is open. Open an image or a project first.")
        return self._project

    @property
    def writable(self) -> Project:
        """The project, to write to; `ReadOnlyError` when it is open read-only."""
        if self.project.read_only:
            raise ReadOnlyError(self.project.reason)
        return self.project

    @property
    def last_current(self) -> int | None:
        """Image that was worked on last, else the first; None when there is none."""
        wanted = self.settings.get("current")
        return wanted if wanted in self.entries else next(iter(self.entries), None)

    def close(self) -> None:
        """Close the project."""
        if self._project:
            self._project.close()

    def shape(self, image_id: int) -> tuple[int, ...]:
        """Return T, Z, Y, X of an image."""
        frames, _, *volume = self.entries[image_id].record.shape
        return (frames, *volume)

    def take_images(self, stacks: Sequence[ImageStack]) -> tuple[ImageEntry, ...]:
        """Return the entries of images, added to the project where they are not there; all in one transaction.

        One that was taken out of the project is found again, but stays hidden.
        """
        stacks = [without_stains(stack) for stack in stacks]
        known = _by_key((*self.entries.values(), *self.hidden.values()))
        found = [_known(known, stack) for stack in stacks]
        new: dict[Identity, ImageStack] = {}
        for stack, entry in zip(stacks, found, strict=True):
            if entry is None:
                new.setdefault(_identity(stack), stack)
        added = dict(zip(new, self.writable.add_images(list(new.values())), strict=True)) if new else {}
        pairs = zip(stacks, found, strict=True)
        entries = tuple(
            added[_identity(stack)] if entry is None else self._found_again(entry, stack) for stack, entry in pairs
        )
        for entry in entries:
            (self.hidden if entry.image_id in self.hidden else self.entries)[entry.image_id] = entry
        return entries

    def hide(self, changes: Iterable[HiddenChange]) -> None:
        """Take images out of the project, or bring them back to their place in the order."""
        for change in changes:
            here, there = (self.entries, self.hidden) if change.after else (self.hidden, self.entries)
            if change.image_id in here:
                there[change.image_id] = here.pop(change.image_id)
            self.tally.hide(change.image_id, change.after)
        self.entries = dict(sorted(self.entries.items()))

    def other_readings(self, image_id: int) -> tuple[int, ...]:
        """Return the images that are the same file and scene read with other axes."""
        mine = self.entries[image_id].record
        others = (entry.record for entry in self.entries.values() if entry.image_id != image_id)
        same = (one for one in others if (one.path, one.scene) == (mine.path, mine.scene) and one.axes != mine.axes)
        return tuple(one.image_id for one in same)

    def _found_again(self, entry: ImageEntry, stack: ImageStack) -> ImageEntry:
        if entry.missing and stack.path is not None and not self.project.read_only:
            return self.project.relocate(entry, stack.path)
        return entry

    def relocate(self, image_id: int, path: Path) -> None:
        """Note the new place of an image that has moved."""
        self.entries[image_id] = self.writable.relocate(self.entries[image_id], path)

    def relocate_folder(self, folder: Path) -> Relocated:
        """Look in a folder tree for all images that are missing, and note where they are now."""
        missing = [entry for entry in self.entries.values() if entry.missing]
        places = found_again(missing, folder)
        self.entries |= self.writable.relocate_all(places, self.entries)
        return Relocated(tuple(places), tuple(e.image_id for e in missing if e.image_id not in places))

    def put_stains(self, image_id: int, stains: Sequence[StainChannel]) -> None:
        """Give an image other predicted stains; whoever holds its entry keeps those of then."""
        mine = self.entries if image_id in self.entries else self.hidden
        mine[image_id] = mine[image_id].with_stains(stains)

    def states(self) -> tuple[ImageState, ...]:
        """Return what is known of every image without reading its cells."""
        names = shown_names(self.entries)
        return tuple(self.tally.state(i, names[i], bool(entry.missing)) for i, entry in self.entries.items())

    def cell_total(self) -> int:
        """Return how many cells there are in all images whose files are there."""
        return sum(self.tally.cells.get(i, 0) for i, entry in self.entries.items() if not entry.missing)

    def remember_current(self, image_id: int) -> None:
        """Note which image is worked on; a full disk is no reason not to show it."""
        with contextlib.suppress(ProjectError):
            self.put_setting("current", image_id)

    def put_setting(self, key: str, value: Any) -> None:
        """Change a setting; in memory only when the project can't be written."""
        if self.settings.get(key) == value:
            return
        if self.has_project and not self.project.read_only:
            self.project.journal.put_setting(key, value)
        self.settings[key] = value


def shown_names(entries: dict[int, ImageEntry]) -> dict[int, str]:
    """Return the name of each image; with its folder where another image has the same name."""
    by_name: dict[str, list[int]] = {}
    for image_id, entry in entries.items():
        by_name.setdefault(entry.name, []).append(image_id)
    return {
        image_id: name if len(ids) == 1 else f"{entries[image_id].place.parent.name}/{name}"
        for name, ids in by_name.items()
        for image_id in ids
    }


def _by_key(entries: Iterable[ImageEntry]) -> Known:
    """Return images by what they may be known by; a file may be in the project with several axes."""
    found: Known = {}
    for entry in entries:
        for key in entry.record.keys:
            found.setdefault(key, []).append(entry)
    return found


def _known(known: Known, stack: ImageStack) -> ImageEntry | None:
    keys = [(stack.fingerprint, stack.scene)]
    if stack.path is not None:
        keys.append((str(stack.path.absolute()), stack.scene))
    return next((entry for key in keys for entry in known.get(key, ()) if entry.record.is_image(stack)), None)


def _identity(stack: ImageStack) -> Identity:
    place = str(stack.path or id(stack)) if not stack.fingerprint else ""
    return stack.fingerprint, place, stack.scene, tuple(stack.shape)
