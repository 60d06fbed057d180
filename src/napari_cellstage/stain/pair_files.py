"""Files of a folder tree that are one side of pairs: their names, and which of them belong to one image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import each_image, open_images
from napari_cellstage.core.label_companions import find_companions
from napari_cellstage.core.reading.find import find_images
from napari_cellstage.stain.channels import Wanted, as_items, told
from napari_cellstage.stain.joining import joined, stem_of
from napari_cellstage.stain.pair_making import LeftOut
from napari_cellstage.stain.pair_names import by_channel


@dataclass(frozen=True)
class Files:
    """Images of a folder tree.

    Parameters
    ----------
    root
        The folder.
    paths
        The files, as people sort.
    """

    root: Path
    paths: tuple[Path, ...]

    @classmethod
    def below(cls, folder: Path | str, without: Path | None = None) -> Files:
        """Find the images below a folder, but for those below another one, and for those of cells beside an image.

        Raises
        ------
        ImageError
            If there is no such folder, or no image in it.
        """
        root = Path(folder)
        if not root.exists():
            raise ImageError(f"There is no folder '{root}'. Check the name, or whether its disk is connected.")
        _, found = find_companions(find_images(root))
        if without is not None:
            there, here = without.resolve(), root.resolve()
            found = [path for path in found if not (here / path.relative_to(root)).is_relative_to(there)]
        if not found:
            raise ImageError(f"There are no images in the folder '{root}'. Choose one with TIFF or other images in it.")
        return cls(root if root.is_dir() and found != [root] else root.parent, tuple(found))

    @cached_property
    def names(self) -> list[str]:
        """Relative to the folder, with ``/``."""
        return [path.relative_to(self.root).as_posix() for path in self.paths]

    @cached_property
    def stems(self) -> list[str]:
        """The same without endings."""
        return [name.removesuffix(last) + stem_of(last) for name in self.names for last in (name.rpartition("/")[2],)]


@dataclass(frozen=True)
class Side:
    """Inputs, or stains: what is opened together for each image.

    Parameters
    ----------
    root
        Their folder.
    names
        Of the images, as they are told.
    keys
        By which they are matched.
    files
        Of each image, one or one a channel.
    calls
        What channels that have no name in their file are called.
    wanted
        Which channels of the image so made are asked for.
    by_channel
        Whether files were sorted by the channel that their names say.
    lacking
        Images that lack the file of a channel.
    """

    root: Path
    names: tuple[str, ...]
    keys: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]
    calls: tuple[str, ...]
    wanted: Wanted
    by_channel: bool = False
    lacking: tuple[LeftOut, ...] = ()

    def same_folder(self, other: Side) -> bool:
        """Tell whether both are channels in files of one folder."""
        return self.by_channel and other.by_channel and self.root == other.root

    def images(self, place: int) -> list[ImageStack] | LeftOut:
        """Open an image, every scene of it; or say why not."""
        name = self.names[place]
        try:
            opened = [open_images(file) for file in self.files[place]]
            if len({len(scenes) for scenes in opened}) > 1:
                return LeftOut(name, "its files hold different numbers of images")
            several = next((one for scenes in opened for one in scenes if one.shape[1] > 1), None)
            if self.by_channel and several is not None:
                return LeftOut(name, f"'{several.name}' should hold one channel, but has {told(several)}")
            return [joined(scenes, self.calls) for scenes in zip(*opened, strict=True)]
        except ImageError as error:
            return LeftOut(name, str(error))


def one_side(files: Files, wanted: Wanted) -> Side:
    """Return files as one side of pairs: those of each channel together where their names say the channel."""
    items = as_items(wanted)
    texts = [item for item in items if isinstance(item, str) and not item.isdecimal()]
    sorted_out = by_channel(files.stems, texts) if texts and len(texts) == len(items) else []
    if sorted_out and not _has_channels(files, texts):
        return _channel_files(files, sorted_out, texts)
    call = texts[0] if len(texts) == len(items) == 1 else files.root.name
    names, stems = tuple(files.names), tuple(files.stems)
    return Side(files.root, names, stems, tuple((path,) for path in files.paths), (call,), wanted)


def _channel_files(files: Files, sorted_out: Sequence[dict[str, int]], channels: Sequence[str]) -> Side:
    """Put together the files of those images that have one for every channel."""
    keys = list(dict.fromkeys(key for of_channel in sorted_out for key in of_channel))
    have = {key: [of_channel[key] for of_channel in sorted_out if key in of_channel] for key in keys}
    whole = [key for key in keys if len(have[key]) == len(channels)]
    lacking = [
        LeftOut(files.names[have[key][0]], f"there is no file of {channel} beside it")
        for key in keys
        for channel, of_channel in zip(channels, sorted_out, strict=True)
        if key not in of_channel
    ]
    return Side(
        files.root,
        tuple(files.names[have[key][0]] for key in whole),
        tuple(whole),
        tuple(tuple(files.paths[place] for place in have[key]) for key in whole),
        tuple(channels),
        tuple(range(len(channels))),
        by_channel=True,
        lacking=tuple({one.name: one for one in lacking}.values()),
    )


def _has_channels(files: Files, channels: Sequence[str]) -> bool:
    """Tell whether the first image that can be opened has channels of these names in one file."""
    opened = (one for path, name in zip(files.paths, files.names, strict=True) for one in images_of(path, name))
    first = next((one for one in opened if not isinstance(one, LeftOut)), None)
    names = () if first is None else first.channel_names
    return {one.casefold() for one in channels} <= {name.casefold() for name in names}


def images_of(path: Path, name: str) -> Iterator[ImageStack | LeftOut]:
    """Yield the images of a file; for one that can't be opened, why."""
    try:
        for one in each_image(path):
            yield LeftOut(name, str(one)) if isinstance(one, ImageError) else one
    except ImageError as error:
        yield LeftOut(name, str(error))
