"""Many files and folders opened at once: what fails is said, what can't be told is asked, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_cellstage.core.channel_guess import guessed_channels
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, each_image, open_image
from napari_cellstage.core.label_companions import Companion, find_companions
from napari_cellstage.core.reading.axes import MANY
from napari_cellstage.core.reading.find import find_images
from napari_cellstage.core.reading.series_names import Series, find_series, is_pattern

_IN_WORDS = {"T": "time point", "Z": "plane", "C": "channel"}


@dataclass
class Gathered:
    """What became of the files.

    Parameters
    ----------
    stacks
        Images that are open, in the order of their files.
    unsure
        Images whose axes were guessed, those alike together; see `axes_key`.
    series
        Files that look like the planes of one image; none of them is open yet.
    failed
        A sentence for each file that can't be opened.
    companions
        Files that look like the cells of others; none of them is open.
    channels
        Which of so many channels looks like nuclei, see `note_channels`.
    """

    stacks: list[ImageStack] = field(default_factory=list)
    unsure: dict[str, list[ImageStack]] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    companions: list[Companion] = field(default_factory=list)
    channels: dict[int, int] = field(default_factory=dict)

    def add(self, stack: ImageStack) -> None:
        """Put an image where it belongs."""
        group = self.unsure.setdefault(axes_key(stack), []) if stack.guessed_axes else self.stacks
        group.append(stack)

    def note_channels(self) -> None:
        """Look at the pixels of images whose channel names don't say which one shows nuclei; takes a second."""
        self.channels = guessed_channels(self.stacks)


def gather(
    paths: Iterable[Path],
    answers: Mapping[str, str],
    should_stop: Callable[[], bool] = lambda: False,
    with_series: bool = True,
    images_of_labels: Iterable[Path] | None = None,
) -> Generator[tuple[int, int], None, Gathered]:
    """Open files, and all images of folders; every scene is an image.

    Parameters
    ----------
    paths
        Files and folders.
    answers
        Axes that were given before, by `axes_key`.
    should_stop
        Asked after every image; when it says so what is open until then is returned.
    with_series
        Whether numbered files are left for a question; else each is opened by itself.
    images_of_labels
        Images that are open already. Files that look like cells of theirs, or of others that are opened now, are left
        for a question. None: each is opened as an image.

    Yields
    ------
    How many files are open, of how many.
    """
    made = Gathered()
    files = _files(paths, made)
    if images_of_labels is not None:
        made.companions, files = find_companions(files, images_of_labels)
    if with_series:
        made.series, files = find_series(files)
    for done, file in enumerate(files):
        for one in _images(file, answers):
            if isinstance(one, ImageError):
                made.failed.append(str(one))
            else:
                made.add(one)
            yield done, len(files)
            if should_stop():
                return made
    return made


def _images(file: Path, answers: Mapping[str, str]) -> Iterator[ImageStack | ImageError]:
    """Open the images of a file; of each that can't be opened, or of the whole file, yield why."""
    try:
        for one in each_image(file):
            yield one if isinstance(one, ImageError) else answered(one, answers)
    except ImageError as error:
        yield error


def open_series(series: Series, answers: Mapping[str, str]) -> ImageStack:
    """Open a series as one image; raise `ImageError` when that fails."""
    return answered(open_image(series.folder, scene=series.pattern), answers)


def answered(stack: ImageStack, answers: Mapping[str, str]) -> ImageStack:
    """Return an image with the axes that were given for its like; as it is when none were."""
    axes = answers.get(axes_key(stack)) if stack.guessed_axes else None
    return stack if axes is None else with_axes(stack, axes)


def with_axes(stack: ImageStack, axes: str) -> ImageStack:
    """Open the file of an image again with the axes that the user gave."""
    if stack.path is None:
        raise ImageError(f"'{stack.name}' has no file to be opened again. Make it again with the axes '{axes}'.")
    return open_image(stack.path, axes, stack.scene)


def axes_key(stack: ImageStack) -> str:
    """Return under what an answer is kept: files with as many axes, each short (channels, perhaps) or long.

    Lengths themselves are no part of it: every movie of a series of experiments has another one.
    """
    lengths = ["few" if n <= MANY else "many" for _letter, n in open_lengths(stack, stack.guessed_axes)]
    kind = "files" if is_pattern(stack.scene) else "file"
    return " ".join([kind, *lengths, *(["colours"] if "S" in stack.guessed_axes else [])])


def open_lengths(stack: ImageStack, axes: str) -> list[tuple[str, int]]:
    """Return the axes besides Y, X and colours with their lengths, outermost first, if they were `axes`."""
    sizes = dict(zip("TCZYX", stack.shape, strict=True))
    guessed = [letter for letter in stack.guessed_axes if letter not in "YXS"]
    asked = [letter for letter in axes if letter not in "YXS"]
    return [(new, sizes[old]) for new, old in zip(asked, guessed, strict=True)]


def in_words(stack: ImageStack, axes: str) -> str:
    """Return what the axes would mean: ``"30 time points × 2 channels"``."""
    return " × ".join(f"{n} {_IN_WORDS[letter]}{'' if n == 1 else 's'}" for letter, n in open_lengths(stack, axes))


def _files(paths: Iterable[Path], made: Gathered) -> list[Path]:
    """Return all images, each once; a folder without any is a failure."""
    found: dict[Path, None] = {}
    for path in paths:
        images = find_images(path)
        if not images:
            made.failed.append(
                f"There are no images in the folder '{path}'. Choose a folder with TIFF, PNG, JPEG, CZI, ND2, LIF or "
                "OME-Zarr images in it."
            )
        found.update(dict.fromkeys(images))
    return list(found)
