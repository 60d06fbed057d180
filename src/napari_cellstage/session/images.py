"""The images of the project, and which one is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from napari_cellstage.core import acts, choices
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.relocating import Relocated
from napari_cellstage.core.store import find_project, free_folder
from napari_cellstage.core.tally import ImageState
from napari_cellstage.session.project import ProjectPart


class ImagesPart(ProjectPart):
    """Images in, found again, the current one, and settings that depend on its channels."""

    find_channel = choices.find_channel()
    network_channels = choices.network_channels()
    segment_settings = choices.segment_settings()

    @property
    def images(self) -> tuple[ImageEntry, ...]:
        """The images, in the order they were added."""
        return tuple(self._space.entries.values())

    @property
    def current_id(self) -> int | None:
        """Number of the image that is worked on."""
        return self._current

    @property
    def current(self) -> ImageStack | None:
        """The image that is worked on; None when there is none or its file is missing."""
        return None if self._current is None else self._space.entries[self._current].stack

    def image_states(self) -> tuple[ImageState, ...]:
        """Return what is known of each image without reading it: cells, how many labelled, predicted, missing."""
        return self._space.states()

    def cell_total(self) -> int:
        """Return how many cells there are in all images whose files are there, without reading them."""
        return self._space.cell_total()

    def add_image(self, stack: ImageStack) -> int:
        """Add an image, or find it again, make it current and return its number.

        With no project open this opens the one in `home` that holds the image, or makes one named after it.
        """
        return self.add_images([stack])[0]

    def add_images(self, stacks: Sequence[ImageStack]) -> tuple[int, ...]:
        """Add images as one act, all or none; the first becomes current. Returned are their numbers.

        One that was removed comes back with its cells and labels.
        With no project open this opens the one in `home` that holds the first, or makes one named after it.
        """
        if not stacks:
            return ()
        if not self._space.has_project:
            if known := find_project(self.home, stacks[0]):
                self.open_project(known)
            else:
                self.new_project(free_folder(self.home, stacks[0].name))
        entries = self._space.take_images(stacks)
        self.images_changed.emit()
        self.history_changed.emit()
        self.set_current(entries[0].image_id)
        return tuple(entry.image_id for entry in entries)

    def suggest_channels(self, guesses: Mapping[int, int]) -> None:
        """Note which of so many channels looks like nuclei; what the user chose, or a name says, goes before it.

        Parameters
        ----------
        guesses
            Channel by number of channels, as `guessed_channels` returns; an earlier one of the project stays.
        """
        for count, channel in guesses.items():
            if self.setting(choices.guess_key(count)) is None:
                self.put_setting(choices.guess_key(count), channel)

    def remove_images(self, image_ids: Iterable[int]) -> None:
        """Take images out of the project, with their cells and labels; no file is touched.

        Nothing is deleted: undo brings them back, and so does adding the same file again, in years too.
        """
        if wanted := [self._id(image_id) for image_id in dict.fromkeys(image_ids)]:
            self._do(acts.hide_images(wanted))

    def other_readings(self, image_id: int) -> tuple[int, ...]:
        """Return the images that are the same file and scene as this one, read with other axes."""
        return self._space.other_readings(self._id(image_id))

    def relocate(self, image_id: int, path: Path | str) -> None:
        """Say where the file of an image is now; `ImageError` when that is another image."""
        self._space.relocate(self._id(image_id), Path(path).expanduser().absolute())
        self.images_changed.emit()
        self.current_changed.emit()

    def relocate_folder(self, folder: Path | str) -> Relocated:
        """Say in which folder all missing images are now; they are found again there by name and size."""
        result = self._space.relocate_folder(Path(folder).expanduser().absolute())
        self.images_changed.emit()
        self.current_changed.emit()
        return result

    def set_current(self, image_id: int) -> None:
        """Work on another image."""
        self._current = self._id(image_id)
        self._space.remember_current(image_id)
        self._space.put_back(but=image_id)
        self.current_changed.emit()

    def go_to_image(self, step: int) -> bool:
        """Work on the image so many places after the current one (before it, when negative); False at the end."""
        numbers = list(self._space.entries)
        place = numbers.index(self._current) + step if self._current in numbers else 0
        if not 0 <= place < len(numbers):
            return False
        self.set_current(numbers[place])
        return True

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels of the current image, predicted ones last; known even when its file is missing."""
        return () if self._current is None else self._space.entries[self._current].channel_names

    @property
    def own_channels(self) -> int:
        """How many channels the file of the current image has: those after them are predicted."""
        return 0 if self._current is None else len(self._space.entries[self._current].record.channel_names)
