"""What a project knows of its images: where each is, and how to find it again or keep its pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, open_image

if TYPE_CHECKING:
    from napari_cellstage.core.stain_channels import StainChannel


@dataclass(frozen=True)
class ImageRecord:
    """What the project knows of an image without opening it.

    Parameters
    ----------
    image_id
        Number within the project.
    name
        As shown.
    path, relative_path
        Where its file was, and where that is from the project's folder.
    size, fingerprint
        Bytes, and what changes with the pixels.
    shape
        T, C, Z, Y, X.
    channel_names, pixel_size_um, rgb, scene, axes
        As in `ImageStack`.
    """

    image_id: int
    name: str
    path: str
    relative_path: str
    size: int
    fingerprint: str
    shape: tuple[int, ...]
    channel_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None
    rgb: bool
    scene: str = ""
    axes: str = ""

    @classmethod
    def of(cls, image_id: int, stack: ImageStack, path: Path, folder: Path) -> ImageRecord:
        """Describe an image whose pixels are at `path`, for the project in `folder`."""
        return cls(
            image_id=image_id,
            name=stack.name,
            path=str(path),
            relative_path=relative_path(path, folder),
            size=path.stat().st_size if path.is_file() else 0,
            fingerprint=stack.fingerprint,
            shape=tuple(int(n) for n in stack.shape),
            channel_names=tuple(stack.channel_names),
            pixel_size_um=stack.pixel_size_um,
            rgb=stack.rgb,
            scene=stack.scene,
            axes=stack.axes,
        )

    def is_image(self, stack: ImageStack) -> bool:
        """Tell whether an image is this one: same pixels as far as is known, or same file; and same shape.

        Predicted channels make no other image of it.
        """
        same_pixels = bool(stack.fingerprint) and self.fingerprint == stack.fingerprint
        same_file = stack.path is not None and self.path == str(stack.path.absolute())
        return (same_pixels or same_file) and self.shape == tuple(stack.own_shape) and self.scene == stack.scene

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """What another image must share with this one to be the same: one of these is enough."""
        return tuple((key, self.scene) for key in (self.fingerprint, self.path) if key)

    def moved(self, path: Path, folder: Path) -> ImageRecord:
        """Return the record after the file was moved, for the project in `folder`."""
        return replace(self, path=str(path), relative_path=relative_path(path, folder))

    def copied(self, before: Path, after: Path) -> ImageRecord:
        """Return the record for a copy of the project in another folder."""
        path = Path(self.path)
        if path.is_relative_to(before):
            path = after / path.relative_to(before)
        return replace(self, path=str(path), relative_path=relative_path(path, after))


class ImageEntry:
    """One image of the open project; its file is opened when it is first asked for.

    Parameters
    ----------
    record
        What the project knows.
    place
        Where the file should be.
    stack
        The image, when it is open already.
    absent
        True when the file is known not to be there.
    stains
        Predicted stains, which become further channels of the image.
    """

    def __init__(
        self,
        record: ImageRecord,
        place: Path,
        stack: ImageStack | None = None,
        absent: bool = False,
        stains: Sequence[StainChannel] = (),
    ) -> None:
        self.image_id = record.image_id
        self.name = record.name
        self.record = record
        self.place = place
        self.stains = tuple(stains)
        self._given = stack
        self._absent = absent and stack is None

    def opened_as(self, other: ImageEntry) -> ImageEntry:
        """Return this entry with the pixels of another one of the same image, where those are open."""
        return ImageEntry(self.record, self.place, other._as_opened, stains=self.stains)

    def with_stains(self, stains: Sequence[StainChannel]) -> ImageEntry:
        """Return this entry with other predicted stains; whoever holds this one keeps those that it has."""
        return ImageEntry(self.record, self.place, self._as_opened, self._absent, stains)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Its channels, predicted ones last; known without opening it."""
        return (*self.record.channel_names, *(one.stain.name for one in self.stains))

    @cached_property
    def stack(self) -> ImageStack | None:
        """The image, None when it can't be opened."""
        return self._stained(self._opened[0])

    def reopened(self) -> ImageStack | None:
        """Open the image without keeping it open, for another thread; None when it can't be opened."""
        if "_opened" in self.__dict__ or self._given is not None or self._absent:
            return self.stack
        try:
            return self._stained(reopened(self.record, self.place))
        except ImageError:
            return None

    @property
    def missing(self) -> str:
        """Why it can't be opened, as a sentence; empty when it can, or when nobody has tried and the file is there."""
        return self._opened[1] if self._absent or "_opened" in self.__dict__ else ""

    @property
    def _as_opened(self) -> ImageStack | None:
        """The image as its file is, where it is open already."""
        return self._given or self.__dict__.get("_opened", (None,))[0]

    def _stained(self, stack: ImageStack | None) -> ImageStack | None:
        if stack is None or not self.stains:
            return stack
        from napari_cellstage.core.stain_channels import with_stains

        return with_stains(stack, self.stains)

    @cached_property
    def _opened(self) -> tuple[ImageStack | None, str]:
        if self._given is not None:
            return self._given, ""
        if self._absent or not self.place.exists():
            return None, (
                f"The image '{self.name}' is not at '{self.place}' any more. Show where it is now; its labels are kept."
            )
        try:
            return reopened(self.record, self.place), ""
        except ImageError as error:
            return None, str(error)


def reopened(record: ImageRecord, path: Path) -> ImageStack:
    """Open the image of a record from a file; raise `ImageError` when that is another image."""
    stack = open_image(path, record.axes or None, record.scene)
    if tuple(stack.shape) != record.shape:
        raise ImageError(
            f"'{path}' has the shape {tuple(stack.shape)} (T, C, Z, Y, X), the image '{record.name}' had "
            f"{record.shape}. Choose the file that was labelled; its labels are kept."
        )
    names, size = record.channel_names, record.pixel_size_um
    return replace(stack, name=record.name, channel_names=names, pixel_size_um=size, rgb=record.rgb)


def write_pixels(stack: ImageStack, path: Path) -> None:
    """Write an image as OME-TIFF, plane by plane, in a type that OME has."""
    frames, channels, depth, height, width = stack.shape
    dtype = _ome_type(stack.pixels.dtype)

    def planes() -> Iterator[NDArray[np.generic]]:
        for t, c, z in np.ndindex(frames, channels, depth):
            yield stack.pixels[t, c, z].astype(dtype)

    shape = (frames, channels, depth, height, width)
    metadata = {"axes": "TCZYX", "Channel": {"Name": list(stack.channel_names)}}
    import tifffile  # slow to load

    tifffile.imwrite(
        path,
        planes(),
        shape=shape,
        dtype=dtype,
        ome=True,
        bigtiff=int(np.prod(shape)) * dtype.itemsize > 2**31,
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},
        metadata=metadata,
    )


def relative_path(path: Path, folder: Path) -> str:
    """Return the way from a project's folder to a file; empty when there is none (another drive)."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return ""


def _ome_type(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return dtype if dtype.itemsize <= 4 else np.dtype(np.float64)
