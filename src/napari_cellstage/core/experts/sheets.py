"""Sheets for experts to fill in blind: cells in random order under names that tell nothing, and a key kept apart."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_cellstage.core.experts.lines import COLUMNS, AnswersError
from napari_cellstage.core.exporting.places import cannot_write, distinct_names, empty_folder, free_file, make_folder
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.safe_csv import write_csv

TO_SEND, CELLS, KEY = "to-send", "cells", "key.csv"
_HOW = """Please say of each picture in the folder '{cells}' what it shows: {classes}.

Write one of these words into the column 'answer' of {sheet}, one for each line, and save the file as CSV.
Leave a line empty where you can't tell. Please don't compare with others before everybody is done.
"""


@dataclass(frozen=True)
class Sheets:
    """What was written: the sheets, how many cells, and what to know."""

    files: tuple[Path, ...]
    cells: int
    key: Path | None = None
    notes: tuple[str, ...] = ()


def choose_cells(crops: CropSet, each: int | None, seed: int) -> CropSet:
    """Return the crops in random order; `each`: so many of each class.

    Raises
    ------
    AnswersError
        If a class has fewer.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(crops))
    if each is None:
        return crops.take(order)
    few = [f"'{name}' has {count}" for name, count in crops.counts().items() if count < each]
    if few or each < 1:
        raise AnswersError(f"{each} cells of each class are asked for, but {', '.join(few) or 'that is none'}.")
    kept = [order[crops.labels[order] == place][:each] for place in range(len(crops.classes))]
    return crops.take(rng.permutation(np.concatenate(kept)))


def write_blind_folder(crops: CropSet, out: Path, persons: Sequence[str], seed: int) -> Sheets:
    """Copy crops under neutral names, write a sheet for each person, and the key beside what is to be sent.

    Parameters
    ----------
    crops
        The cells, in the order in which they are numbered; see `choose_cells`.
    out
        A folder that is new or empty. ``to-send`` in it is for the experts, ``key.csv`` is not.
    persons
        Who gets a sheet; each has the cells in another order.
    seed
        Same cells and seed, same sheets.

    Raises
    ------
    AnswersError, ExportError
        If the crops are no files, or can't be copied there.
    """
    if not crops.cells:
        raise AnswersError("These cells are no files, so they can't be copied. Give class folders of pictures.")
    empty_folder(out, overwrite=False)
    digits = max(4, len(str(len(crops))))
    names = [f"cell_{number:0{digits}d}" for number in range(1, len(crops) + 1)]
    try:
        make_folder(out / TO_SEND / CELLS)
        for name, cell in zip(names, crops.cells, strict=True):
            for file, channel in zip(cell.files, cell.channels or ("",) * len(cell.files), strict=True):
                ending = "".join(("_", channel) if channel else "") + file.suffix
                shutil.copyfile(file, out / TO_SEND / CELLS / f"{name}{ending}")
        files = tuple(_write_sheet(out / TO_SEND, names, person, file, seed + place) for place, (person, file) in
                      enumerate(zip(persons, distinct_names(persons), strict=True)))  # fmt: skip
        _write_how(out / TO_SEND, crops.classes)
        classes = [crops.classes[place] for place in crops.labels.tolist()]
        files_of = [name.rpartition("#")[0] or name for name in crops.names]
        write_csv(pd.DataFrame({"cell": names, "file": files_of, "class": classes}), out / KEY)
    except OSError as error:
        raise cannot_write(out, error) from error
    return Sheets(files, len(crops), out / KEY)


def write_sheet(crops: CropSet, out: Path, person: str) -> Sheets:
    """Write one sheet that calls cells by their file names, without the folder that names the class.

    Raises
    ------
    AnswersError, ExportError
        If two cells have one file name, or the file is there already.
    """
    names = [name.rpartition("#")[0].rpartition("/")[2] or name.rpartition("/")[2] for name in crops.names]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise AnswersError(
            f"{len(twice)} file names are in several class folders, such as '{twice[0]}', so that a sheet can't name "
            "them. Give --out a folder: the cells are copied there under neutral names."
        )
    free_file(out, overwrite=False)
    try:
        write_csv(_sheet(names, person), out)
    except OSError as error:
        raise cannot_write(out, error) from error
    telling = [name for name, label in zip(names, crops.labels.tolist(), strict=True)
               if crops.classes[label].casefold() in name.casefold()]  # fmt: skip
    note = (
        f"{len(telling)} file names hold the name of their class, such as '{telling[0]}', so this sheet is not blind. "
        "Give --out a folder: the cells are copied there under neutral names."
    )
    return Sheets((out,), len(crops), None, (note,) if telling else ())


def read_key(file: Path) -> dict[str, str]:
    """Return which file each neutral name stands for.

    Raises
    ------
    AnswersError
        If the key can't be read, or is none.
    """
    from napari_cellstage.core.safe_csv import read_csv

    try:
        frame = read_csv(file)
        return dict(zip(frame["cell"], frame["file"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise AnswersError(f"'{file}' is no key with the columns cell and file: {error}. Choose {KEY}.") from error


def _write_sheet(folder: Path, names: Sequence[str], person: str, file: str, seed: int) -> Path:
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(names))
    write_csv(_sheet([names[place] for place in order.tolist()], person), folder / f"{file}.csv")
    return folder / f"{file}.csv"


def _sheet(names: Sequence[str], person: str) -> pd.DataFrame:
    return pd.DataFrame({"cell": names, "person": person, "answer": ""}, columns=list(COLUMNS))


def _write_how(folder: Path, classes: Sequence[str]) -> None:
    text = _HOW.format(cells=CELLS, classes=", ".join(classes), sheet="the table with your name")
    (folder / "how-to.txt").write_text(text, encoding="utf-8")
