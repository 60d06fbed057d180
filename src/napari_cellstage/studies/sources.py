"""Where a study's cells come from: a folder of the user's, one that lies beside, or the synthetic sample."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.scoring.splits import holdout
from napari_cellstage.studies import published
from napari_cellstage.studies.tables import StudyError

# Looked for in this order, from the folder in which the command is started.
BESIDE = ("data", "../shared/data")
TEST_SHARE = 0.2  # of data that are too few for the published division
QUICK_TRAINING, QUICK_TEST = 300, 400  # synthetic crops a class
FULL_TEST = 500  # published: 100; more, as they cost nothing and tell more


@dataclass(frozen=True)
class StudyCells:
    """Cells of a study.

    Parameters
    ----------
    crops
        With their classes.
    source
        What they are, as a part of a sentence.
    test
        ``(N,)``; which are only scored; empty where folds decide.
    """

    crops: CropSet
    source: str
    test: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))


def jurkat_cells(data: Path | None, group_from: str | None = None) -> StudyCells:
    """Read the Jurkat cells, or any other class folders.

    Parameters
    ----------
    data
        Class folders; None to look for a folder ``jurkat`` beside.
    group_from
        Regular expression for the group of a crop.

    Raises
    ------
    StudyError
        If none is given, and none is found.
    """
    folder = data or _beside("jurkat")
    if folder is None:
        raise StudyError(
            f"There is no folder 'jurkat' in {' or '.join(BESIDE)} below '{Path.cwd()}'. Give the folder that holds "
            "one folder of cells a stage with --data."
        )
    return StudyCells(read_class_folders(folder, group_from), f"'{folder.resolve().name}'")


def microtubule_cells(data: Path | None, *, quick: bool, seed: int, group_from: str | None = None) -> StudyCells:
    """Read class folders, or make the synthetic sample where none are given.

    Parameters
    ----------
    data
        Class folders, or a folder with ``train`` and ``test``, each with class folders; None for the sample.
    quick
        Fewer cells of the sample.
    seed
        Of the sample and of the division.
    group_from
        Regular expression for the group of a crop.
    """
    if data is None:
        return _sample(*((QUICK_TRAINING, QUICK_TEST) if quick else (published.MICROTUBULE_TRAINING, FULL_TEST)), seed)
    if all((data / part).is_dir() for part in ("train", "test")):
        return _divided_already(data, group_from)
    crops = read_class_folders(data, group_from)
    fewest = int(np.bincount(crops.labels, minlength=len(crops.classes)).min())
    whole = published.MICROTUBULE_TRAINING + published.MICROTUBULE_TEST
    share = published.MICROTUBULE_TEST / whole if fewest >= whole else TEST_SHARE
    return StudyCells(crops, f"'{data.resolve().name}'", holdout(crops.labels, crops.groups, share, seed))


def _beside(name: str) -> Path | None:
    return next((Path(place) / name for place in BESIDE if (Path(place) / name).is_dir()), None)


def _sample(training: int, test: int, seed: int) -> StudyCells:
    from napari_cellstage.sample_microtubules import microtubule_crops

    crops = microtubule_crops(training + test, seed)
    place = np.zeros(len(crops.labels), dtype=np.int64)  # of each crop in its class: the last ones are the test
    for label in np.unique(crops.labels):
        place[crops.labels == label] = np.arange(training + test)
    return StudyCells(crops, "the SYNTHETIC sample", place >= training)


def _divided_already(data: Path, group_from: str | None) -> StudyCells:
    train, test = (read_class_folders(data / part, group_from) for part in ("train", "test"))
    if train.classes != test.classes:
        raise StudyError(
            f"'{data}' has the classes {', '.join(train.classes)} in train, but {', '.join(test.classes)} in test. "
            "Give both the same class folders."
        )
    if train.crops.shape[1:] != test.crops.shape[1:]:
        raise StudyError(
            f"The pictures in '{data}' are {_size(train)} in train, but {_size(test)} in test. Give both the same."
        )
    crops = replace(
        train,
        crops=np.concatenate([train.crops, test.crops]),
        labels=np.concatenate([train.labels, test.labels]),
        names=(*(f"train/{name}" for name in train.names), *(f"test/{name}" for name in test.names)),
        groups=np.concatenate([np.char.add("train ", train.groups), np.char.add("test ", test.groups)]),
        skipped=(*train.skipped, *test.skipped),
        cells=(),
        notes=(*train.notes, *test.notes, *_in_both(train, test)),
    )
    scored = np.arange(len(crops.labels)) >= len(train.labels)
    return StudyCells(crops, f"'{data.resolve().name}'", scored)


def _in_both(train: CropSet, test: CropSet) -> tuple[str, ...]:
    """Say which pictures are learned from and scored as well."""
    known = {name.rpartition("#")[2] for name in train.hashed().names}
    twice = [name.rpartition("#")[0] for name in test.hashed().names if name.rpartition("#")[2] in known]
    if not twice:
        return ()
    are = "pictures of the test are" if len(twice) > 1 else "picture of the test is"
    return (
        f"{len(twice):,} {are} in train too, such as {twice[0]}, so the figures flatter. Take them out of one of both.",
    )


def _size(crops: CropSet) -> str:
    channels, height, width = crops.crops.shape[1:]
    return f"{width} x {height} pixels with {channels} channel{'s' if channels != 1 else ''}"
