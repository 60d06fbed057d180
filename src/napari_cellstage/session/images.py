"""The images of the project, and which one is worked on."""

from __future__ import annotations

from pathlib import Path

from napari_cellstage.core import choices
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.store import find_project, free_folder
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

    def add_image(self, stack: ImageStack) -> int:
        """Add an image, or find it again, make it current and return its number.

        With no project open this opens the one in `home` that holds the image, or makes one named after it.
        """
        if not self._space.has_project:
            if known := find_project(self.home, stack):
                self.open_project(known)
            else:
                self.new_project(free_folder(self.home, stack.name))
        entry = self._space.take_image(stack)
        self.images_changed.emit()
        self.set_current(entry.image_id)
        return entry.image_id

    def relocate(self, image_id: int, path: Path | str) -> None:
        """Say where the file of an image is now; `ImageError` when that is another image."""
        self._space.relocate(self._id(image_id), Path(path).expanduser().absolute())
        self.images_changed.emit()
        self.current_changed.emit()

    def set_current(self, image_id: int) -> None:
        """Work on another image."""
        self._current = self._id(image_id)
        self._space.remember_current(image_id)
        self.current_changed.emit()

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels of the current image; known even when its file is missing."""
        return () if self._current is None else self._space.entries[self._current].record.channel_names
