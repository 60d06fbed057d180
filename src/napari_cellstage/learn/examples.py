"""Examples of a run: small colour pictures of cells that were predicted right, wrong, that are suspected or unlike.

They lie in the run folder, so that its report needs no image. Which cells are shown is decided here, and how they are
coloured; what is written beside them is the report's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.review.suspects import suspicion

if TYPE_CHECKING:
    from napari_cellstage.core.review.unseen import Unseen
    from napari_cellstage.learn.data import TrainingSet

EXAMPLES = "examples.npz"
KINDS = RIGHT, WRONG, SUSPECT, UNLIKE = "right", "wrong", "suspect", "unlike"
A_CLASS, SUSPECTS, UNLIKES = 6, 24, 12
SIDES = (64, 48, 32)  # of pictures in pixels, the first that fits
_ROOM = 2_000_000  # bytes of all pictures before they are packed
_FOR_RANGE = 500  # crops that the intensity range is taken from
_COLORS = ((1, 0, 1), (0, 1, 0), (0, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 1))  # as in the viewer
_RGB = ("red", "green", "blue")

Pictures = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures of some cells; a cell may be here twice, once as a wrong one and once as a suspected label.

    Parameters
    ----------
    pictures
        ``(M, S, S, 3)`` uint8.
    kind
        ``(M,)`` text, one of `KINDS`; within a kind and class, those to be seen first come first.
    truth, predicted
        ``(M,)`` places in the run's classes.
    confidence
        ``(M,)`` top probability, calibrated.
    value
        ``(M,)`` suspicion of the label for suspects, 0 to 1; how unlike for unlike cells; else the loss.
    names
        ``(M,)`` text; as in `Unseen.names`.
    """

    pictures: Pictures
    kind: NDArray[np.str_]
    truth: Rows
    predicted: Rows
    confidence: NDArray[np.float32]
    value: NDArray[np.float32]
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pictures)

    def of(self, kind: str, place: int | None = None) -> Rows:
        """Return the places of the pictures of a kind, and of a true class where one is given."""
        wanted = self.kind == kind
        return np.flatnonzero(wanted if place is None else wanted & (self.truth == place)).astype(np.int64)

    def save(self, folder: Path) -> None:
        """Write them into a run folder, without pickle.

        Raises
        ------
        ModelError
            If they can't be written.
        """
        try:
            np.savez_compressed(folder / EXAMPLES, **{one.name: getattr(self, one.name) for one in fields(self)})
        except OSError as e:
            raise ModelError(f"'{folder / EXAMPLES}' can't be written: {e}. Make room, and train again.") from e

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read them from a run folder; None where there are none.

        Raises
        ------
        ModelError
            If the file is damaged.
        """
        file = folder / EXAMPLES
        if not file.is_file():
            return None
        try:
            # numpy leaves a file that it opened itself open where it is damaged
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
                return cls(**{one.name: found[one.name] for one in fields(cls)})._checked()
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as e:
            raise ModelError(f"'{file}' is damaged: {e}. Delete it; the report does without pictures then.") from e

    def _checked(self) -> Self:
        """Return the same; ValueError where arrays do not belong together."""
        shapes = {one.name: getattr(self, one.name).shape[:1] for one in fields(self)}
        if len(set(shapes.values())) != 1 or not all(shapes.values()):
            raise ValueError(f"its arrays are of unlike length, {shapes}")
        if self.pictures.dtype != np.uint8 or self.pictures.shape[1:2] * 2 + (3,) != self.pictures.shape[1:]:
            raise ValueError(f"its pictures are {self.pictures.dtype} {self.pictures.shape}")
        if {self.truth.dtype.kind, self.predicted.dtype.kind} - {"i", "u"}:
            raise ValueError("its classes are no whole numbers")
        return self


def save_examples(folder: Path, data: TrainingSet, unseen: Unseen) -> None:
    """Choose cells, draw them, and write them into a run folder.

    Parameters
    ----------
    folder
        Of the run.
    data
        What was trained on; it has the crops.
    unseen
        What was said about the cells that were not.

    Raises
    ------
    ModelError
        If they can't be written.
    """
    examples_of(data, unseen).save(folder)


def examples_of(data: TrainingSet, unseen: Unseen, seed: int = 0) -> Examples:
    """Choose cells and draw them: same data, same pictures."""
    place_of = {name: place for place, name in enumerate(data.names)}
    known = np.array([name in place_of for name in unseen.names.tolist()], dtype=bool)
    unseen = unseen.take(np.flatnonzero(known))
    side, a_class = _fitting(len(unseen.classes))
    rows, kind, value = _chosen(unseen, a_class, seed)
    crops = np.array([place_of[name] for name in unseen.names[rows].tolist()], dtype=np.int64)
    return Examples(
        pictures=_drawn(data, crops, side),
        kind=kind,
        truth=unseen.truth[rows],
        predicted=unseen.predicted[rows],
        confidence=unseen.probabilities[rows].max(axis=1, initial=0.0).astype(np.float32),
        value=value,
        names=unseen.names[rows].astype(np.str_),
    )


def _fitting(classes: int) -> tuple[int, int]:
    """Return side of the pictures and cells a class that fit the room."""
    for a_class in range(A_CLASS, 0, -1):
        for side in SIDES:
            if (2 * a_class * classes + SUSPECTS + UNLIKES) * side * side * 3 <= _ROOM:
                return side, a_class
    return SIDES[-1], 1


def _chosen(unseen: Unseen, a_class: int, seed: int) -> tuple[Rows, NDArray[np.str_], NDArray[np.float32]]:
    """Return rows, kind and value of the cells to show."""
    loss = losses(unseen)
    parts = [_right_and_wrong(unseen, place, loss, a_class, seed) for place in range(len(unseen.classes))]
    chosen = [(RIGHT, right, loss[right]) for right, _ in parts] + [(WRONG, wrong, loss[wrong]) for _, wrong in parts]
    doubt, doubted = suspicion(unseen), np.flatnonzero(unseen.predicted != unseen.truth)
    suspects = doubted[np.argsort(-doubt[doubted], kind="stable")][:SUSPECTS]
    chosen.append((SUSPECT, suspects, doubt[suspects]))
    if unseen.unlike is not None:
        unlike = np.argsort(-np.nan_to_num(unseen.unlike), kind="stable")[:UNLIKES]
        unlike = unlike[unseen.unlike[unlike] > 1]
        chosen.append((UNLIKE, unlike, unseen.unlike[unlike]))
    kinds = np.repeat([kind for kind, _, _ in chosen], [len(rows) for _, rows, _ in chosen]).astype(np.str_)
    rows = np.concatenate([rows for _, rows, _ in chosen]).astype(np.int64)
    return rows, kinds, np.concatenate([value for _, _, value in chosen]).astype(np.float32)


def losses(unseen: Unseen) -> NDArray[np.float32]:
    """Return how surprised the model was by each label: ``-log`` of the probability it gave it, ``(N,)``."""
    given = unseen.probabilities[np.arange(len(unseen)), unseen.truth]
    return np.asarray(-np.log(np.maximum(given, 1e-7)), dtype=np.float32)


def _right_and_wrong(unseen: Unseen, place: int, loss: NDArray[np.float32], count: int, seed: int) -> tuple[Rows, Rows]:
    """Return cells of a class: right ones at random, wrong ones with the highest loss first."""
    mine = unseen.truth == place
    right = np.flatnonzero(mine & (unseen.predicted == place))
    wrong = np.flatnonzero(mine & (unseen.predicted != place))
    rng = np.random.default_rng((seed, place))
    some = rng.choice(right, size=min(count, len(right)), replace=False) if len(right) else right
    return np.sort(some), wrong[np.argsort(-loss[wrong], kind="stable")][:count]


def _drawn(data: TrainingSet, rows: Rows, side: int) -> Pictures:
    """Return pictures of some cells, all with one range of intensities, so that bright and dim cells differ."""
    if not len(rows):
        return np.zeros((0, side, side, 3), dtype=np.uint8)
    channels = max(len(data.channel_names), 1)
    some = np.unique(np.linspace(0, len(data) - 1, min(_FOR_RANGE, len(data))).astype(np.intp))
    normalisation = Normalisation.of(_middle_plane(data.crops[some], channels))
    shown = np.clip(normalisation.apply(_middle_plane(data.crops[rows], channels)), 0, 1)
    colored = np.einsum("nchw,ck->nhwk", shown, _colors(data.channel_names, shown.shape[1]))
    return _resized(np.clip(colored, 0, 1), side)


def _middle_plane(crops: NDArray[Any], channels: int) -> NDArray[Any]:
    """Return one plane of crops that hold several, each with all channels."""
    planes = max(crops.shape[1] // channels, 1)
    first = planes // 2 * channels
    return crops[:, first : first + channels]


def _colors(names: tuple[str, ...], channels: int) -> NDArray[np.float32]:
    """Return the colour of each channel, ``(C, 3)``."""
    if channels == 1:
        return np.ones((1, 3), dtype=np.float32)
    if tuple(name.lower() for name in names) == _RGB:
        return np.eye(3, dtype=np.float32)
    return np.array([_COLORS[place % len(_COLORS)] for place in range(channels)], dtype=np.float32)


def _resized(pictures: NDArray[np.floating[Any]], side: int) -> Pictures:
    """Return pictures of that side; black beside those that are not square."""
    from skimage.transform import resize

    height, width = pictures.shape[1:3]
    more = [(max(height, width) - length) // 2 for length in (height, width)]
    pictures = np.pad(pictures, [(0, 0), *((m, m) for m in more), (0, 0)])
    if pictures.shape[1:3] != (side, side):
        shape = (len(pictures), side, side, 3)
        smooth = pictures.shape[1] > side
        pictures = resize(pictures, shape, order=1, anti_aliasing=smooth)  # type: ignore[no-untyped-call]
    return np.asarray(np.round(pictures * 255), dtype=np.uint8)
