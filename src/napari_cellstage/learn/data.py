"""`TrainingSet`: labelled crops as training sees them, from a project or from class folders. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.scoring.common_split import CommonSplit
from napari_cellstage.core.scoring.splits import holdout, kfold
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.tasks import Task
from napari_cellstage.learn.cutting import Cutter, check_cut_already, plates_of
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.task_cells import Everything, LeftOut, groups_of, of_task, only, scheme_of


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
    refs
        The same cells in the project; empty where the data are class folders.
    moment
        Last entry of the journal of labels that is in `labels`; 0 where there is no journal.
    aside
        How many cells of the project are set aside to check the final model, and so are not here.
    left_out
        Classes that are not of the task, and how many labelled cells each has.
    split
        Where classes are left out, the split of all labelled cells, so that every task holds out the same; else None.
    found_in
        Predicted channels that cells of it were found in.
    """

    crops: NDArray[np.generic]
    masks: NDArray[np.bool_] | None
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    classes: ClassScheme
    channels: tuple[int, ...]
    channel_names: tuple[str, ...]
    names: tuple[str, ...]
    refs: CellRefs = field(default_factory=CellRefs)
    moment: int = 0
    aside: int = 0
    left_out: LeftOut = ()
    split: CommonSplit | None = None
    found_in: tuple[str, ...] = ()

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

    def take(self, rows: NDArray[Any]) -> TrainingSet:
        """Return some of the cells, by place or mask, with the classes that these have.

        Raises
        ------
        TrainingError
            If fewer than two classes are left, or one of them has a single cell.
        """
        places = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=np.int64)
        present, labels = np.unique(self.labels[places], return_inverse=True)
        ids = np.array([self.classes.ids[i] for i in present.tolist()], dtype=np.int64)
        return replace(
            self,
            crops=self.crops[places],
            masks=None if self.masks is None else self.masks[places],
            labels=labels.astype(np.int64),
            groups=self.groups[places],
            classes=_without_empty(self.classes, ids),
            names=tuple(self.names[i] for i in places.tolist()),
            refs=self.refs.take(places) if len(self.refs) else self.refs,
            split=None,
        )

    def of_classes(self, names: Iterable[str]) -> TrainingSet:
        """Return the cells of some classes: a task. It is split as all the cells here are.

        Raises
        ------
        TaskError
            For an unknown class, one that is named twice, or fewer than two.
        """
        task = Task.of(names, self.classes.names)
        out = [place for place, name in enumerate(self.classes.names) if name not in task.classes]
        if not out:
            return self
        rows = np.flatnonzero(~np.isin(self.labels, out))
        counts = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        left = tuple((self.classes.classes[place], counts[place]) for place in out)
        split = self.split or CommonSplit(self.labels, self.groups, np.arange(len(self)))
        split = replace(split, rows=split.rows[rows])
        return replace(self.take(rows), left_out=(*self.left_out, *left), split=split)

    def held_out(self, recipe: Recipe) -> NDArray[np.bool_]:
        """Choose the cells that only measure the score: the same for every recipe and task of that share and seed."""
        if self.split is not None:
            return self.split.held_out(recipe.holdout, recipe.seed)
        return holdout(self.labels, self.groups, recipe.holdout, recipe.seed)

    def folds(self, recipe: Recipe) -> NDArray[np.int64]:
        """Return ``(N,)``; the fold of cross-validation that each cell is in, the same for every task."""
        if self.split is not None:
            return self.split.folds(recipe.folds, recipe.seed)
        return kfold(self.labels, self.groups, recipe.folds, recipe.seed)

    @classmethod
    def from_snapshot(cls, snapshot: WorkSnapshot, recipe: Recipe) -> TrainingSet:
        """Cut the labelled cells out of a project's images; every image is a group, unless it says otherwise.

        Raises
        ------
        TrainingError
            If fewer than two classes have cells, a class has one cell only, or images can't be used together.
        """
        plates = plates_of(snapshot.images, recipe)
        parts, aside, left = [], 0, np.array(snapshot.left_out, dtype=np.int64)
        found_in: set[str] = set()
        everything = Everything()
        for image in snapshot.images:  # one after the other: a project may hold more of them than memory
            aside += len(image.aside)
            labelled = np.flatnonzero(labelled_for_training(image))
            everything.add(image, labelled)
            rows = labelled[~np.isin(image.class_ids[labelled], left)]
            if len(rows):
                found_in |= {image.found_in} - {""}
                parts.append(_cut(image, rows, snapshot.channels, recipe, plates.get(image.plate, ())))
        ids = np.concatenate([p.class_ids for p in parts]) if parts else np.zeros(0, int)
        scheme = _without_empty(snapshot.scheme, ids)
        left_out, split = everything.left(snapshot.scheme, left)
        return cls(
            crops=np.concatenate([p.crops for p in parts]) if parts else np.zeros((0, 1, 1, 1), np.uint8),
            masks=np.concatenate([p.masks for p in parts]) if parts else None,
            labels=np.array([scheme.ids.index(i) for i in ids.tolist()], dtype=np.int64),
            groups=np.concatenate([p.groups for p in parts]) if parts else np.zeros(0, np.str_),
            classes=scheme,
            channels=snapshot.channels,
            channel_names=parts[0].channel_names if parts else (),
            names=tuple(name for p in parts for name in p.names),
            refs=CellRefs.joined(p.refs for p in parts),
            moment=snapshot.moment,
            aside=aside,
            left_out=left_out,
            split=split,
            found_in=tuple(sorted(found_in)),
        )

    @classmethod
    def from_crops(cls, crops: CropSet, recipe: Recipe, task: Task | None = None) -> TrainingSet:
        """Take crops as they are; `recipe.crop_size` is for cutting cells out of images, so it is not used here.

        Parameters
        ----------
        crops, recipe
            All labelled crops, and how they are trained on.
        task
            The classes to be told apart; None: all.

        Raises
        ------
        TrainingError
            If fewer than two classes have cells, a class has one cell only, or the recipe asks for what only whole
            images can give.
        """
        check_cut_already(recipe)
        some, left_out, split = of_task(crops, task)
        present = np.flatnonzero(np.bincount(some.labels, minlength=len(some.classes)))
        scheme = only(scheme_of(crops), [some.classes[i] for i in present])
        channels = tuple(range(crops.crops.shape[1]))
        return cls(
            crops=some.crops,
            masks=some.masks,
            labels=np.searchsorted(present, some.labels).astype(np.int64),
            groups=some.groups,
            classes=scheme,
            channels=channels,
            channel_names=crops.channel_names or tuple(f"channel {c}" for c in channels),
            names=some.names,
            left_out=left_out,
            split=split,
        )


def cell_names(image: ImageSnapshot) -> list[str]:
    """Return a name for each cell that stays the same wherever the project goes: image, pixels, time and cell."""
    start = f"{image.stack.name}#{image.stack.fingerprint[:12]}"
    return [f"{start}/{t}/{i}" for t, i in zip(image.cells.t.tolist(), image.cells.cell_id.tolist(), strict=True)]


def labelled_for_training(image: ImageSnapshot) -> NDArray[np.bool_]:
    """Return which cells of an image have a label and are not set aside to check the final model."""
    labelled: NDArray[np.bool_] = image.class_ids != UNLABELLED
    return labelled if image.audit is None else labelled & ~image.audit


@dataclass(frozen=True)
class _Part:
    """The labelled cells of one image."""

    crops: NDArray[np.generic]
    masks: NDArray[np.bool_]
    class_ids: NDArray[np.int64]
    groups: NDArray[np.str_]
    names: list[str]
    refs: CellRefs
    channel_names: tuple[str, ...]


def _cut(
    image: ImageSnapshot,
    rows: NDArray[np.int64],
    channels: tuple[int, ...],
    recipe: Recipe,
    plate: tuple[ImageStack, ...],
) -> _Part:
    have = image.stack.shape[1]
    if not channels or max(channels) >= have:
        raise TrainingError(
            f"The network is to see channels {', '.join(map(str, channels)) or 'none'}, but '{image.stack.name}' has "
            f"{have} (numbered from 0). Choose channels that every labelled image has."
        )
    crops, masks = Cutter(image, channels, recipe, plate).cut(rows)
    groups = groups_of(image, rows)
    names, channel_names = cell_names(image), tuple(image.stack.channel_names[c] for c in channels)
    refs = CellRefs.of(image.image_id, image.cells, rows)
    return _Part(crops, masks, image.class_ids[rows], groups, [names[row] for row in rows], refs, channel_names)


def _without_empty(scheme: ClassScheme, ids: NDArray[np.int64]) -> ClassScheme:
    for one in scheme:
        if one.id not in ids:
            scheme = scheme.remove(one.id)
    return scheme
