"""`TrainingSet`: labelled crops as training sees them, from a project or from class folders. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.splits import holdout
from napari_cellstage.learn.recipe import Recipe


@dataclass(frozen=True)
class TrainingSet:
    """Labelled cells of at least two classes, two or more cells in each.

    Parameters
    ----------
    crops
        ``(N, C, H, W)`` raw intensities, any real dtype.
    masks
        ``(N, H, W)`` bool, the pixels of the cell in each crop; or None.
    labels
        ``(N,)`` int64 from 0 to K - 1: places in `classes`.
    groups
        ``(N,)`` text: which image, well or movie a cell is from; splits never cut through one.
    classes
        The K classes that have cells.
    channels
        Channel numbers in the image, ``C`` of them.
    channel_names
        One a channel.
    names
        One a cell: what the cell is called in the model's card; see `cell_names`.
    """

    crops: NDArray[np.generic]
    masks: NDArray[np.bool_] | None
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    classes: ClassScheme
    channels: tuple[int, ...]
    channel_names: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.classes.names
        if len(names) < 2:
            have = f"Only class '{names[0]}' has labelled cells" if names else "No cell is labelled"
            raise TrainingError(f"{have}; training needs 2 classes or more. Label some cells of another class.")
        for name, count in zip(names, np.bincount(self.labels, minlength=len(names)).tolist(), strict=True):
            if count < 2:
                raise TrainingError(
                    f"Class '{name}' has {count} labelled cell{'s' if count != 1 else ''}; training needs at least 2. "
                    "Label another, or leave the class out."
                )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def crop_size(self) -> int:
        """Side of the square crops, in pixels; the longer side of others."""
        return int(max(self.crops.shape[2:]))

    def held_out(self, recipe: Recipe) -> NDArray[np.bool_]:
        """Choose the cells that only measure the score: the same for every recipe of that share and seed."""
        return holdout(self.labels, self.groups, recipe.holdout, recipe.seed)

    @classmethod
    def from_snapshot(cls, snapshot: WorkSnapshot, recipe: Recipe) -> TrainingSet:
        """Cut the labelled cells out of a project's images; every image is a group.

        Raises
        ------
        TrainingError
            If fewer than two classes have cells, a class has one cell only, or images can't be used together.
        """
        images = [i for i in snapshot.images if (i.class_ids != UNLABELLED).any()]
        parts = [_labelled(image, snapshot.channels, recipe.crop_size) for image in images]
        ids = np.concatenate([i.class_ids[i.class_ids != UNLABELLED] for i in images]) if images else np.zeros(0, int)
        scheme = _without_empty(snapshot.scheme, ids)
        return cls(
            crops=np.concatenate([p[0] for p in parts]) if parts else np.zeros((0, 1, 1, 1), np.uint8),
            masks=np.concatenate([p[1] for p in parts]) if parts else None,
            labels=np.array([scheme.ids.index(i) for i in ids.tolist()], dtype=np.int64),
            groups=np.array([str(i.image_id) for i, p in zip(images, parts, strict=True) for _ in p[2]], dtype=np.str_),
            classes=scheme,
            channels=snapshot.channels,
            channel_names=_channel_names(images, snapshot.channels),
            names=tuple(name for p in parts for name in p[2]),
        )

    @classmethod
    def from_crops(cls, crops: CropSet, recipe: Recipe) -> TrainingSet:
        """Take crops as they are; `recipe.crop_size` is for cutting cells out of images, so it is not used here.

        Raises
        ------
        TrainingError
            If fewer than two classes have cells, or a class has one cell only.
        """
        del recipe
        counts = np.bincount(crops.labels, minlength=len(crops.classes))
        present = np.flatnonzero(counts)
        scheme = ClassScheme.from_names([crops.classes[i] for i in present])
        channels = tuple(range(crops.crops.shape[1]))
        return cls(
            crops=crops.crops,
            masks=crops.masks,
            labels=np.searchsorted(present, crops.labels).astype(np.int64),
            groups=crops.groups,
            classes=scheme,
            channels=channels,
            channel_names=crops.channel_names or tuple(f"channel {c}" for c in channels),
            names=crops.names,
        )


def cell_names(image: ImageSnapshot) -> list[str]:
    """Return a name for each cell that stays the same wherever the project goes: image, pixels, time and cell."""
    start = f"{image.stack.name}#{image.stack.fingerprint[:12]}"
    return [f"{start}/{t}/{i}" for t, i in zip(image.cells.t.tolist(), image.cells.cell_id.tolist(), strict=True)]


def _labelled(
    image: ImageSnapshot, channels: tuple[int, ...], size: int
) -> tuple[NDArray[np.generic], NDArray[np.bool_], list[str]]:
    have = image.stack.shape[1]
    if not channels or max(channels) >= have:
        raise TrainingError(
            f"The network is to see channels {', '.join(map(str, channels)) or 'none'}, but '{image.stack.name}' has "
            f"{have} (numbered from 0). Choose channels that every labelled image has."
        )
    rows = np.flatnonzero(image.class_ids != UNLABELLED)
    cells = image.cells.take(rows)
    names = cell_names(image)
    crops = crop_cells(image.stack, cells, size, channels)
    return crops, crop_masks(image.labels, cells, size), [names[row] for row in rows]


def _without_empty(scheme: ClassScheme, ids: NDArray[np.int64]) -> ClassScheme:
    for one in scheme:
        if one.id not in ids:
            scheme = scheme.remove(one.id)
    return scheme


def _channel_names(images: list[ImageSnapshot], channels: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(images[0].stack.channel_names[c] for c in channels) if images else ()
