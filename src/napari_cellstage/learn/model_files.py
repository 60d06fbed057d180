"""A model's files beside its card: arrays and boosted trees, as plain numbers. There is no pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from napari_cellstage.core.errors import ModelError

WEIGHTS, BOOSTER, MEMBERS = "weights.safetensors", "head.ubj", "members"
Arrays = dict[str, NDArray[Any]]


def write_files(folder: Path, arrays: Arrays, booster: bytes | None) -> None:
    """Write a model's numbers in place of those that may be there; OSError or SafetensorError where it can't be."""
    for name in (WEIGHTS, BOOSTER):
        (folder / name).unlink(missing_ok=True)
    if arrays:
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / WEIGHTS)
    if booster is not None:
        (folder / BOOSTER).write_bytes(booster)


def read_files(folder: Path) -> tuple[Arrays, bytes | None]:
    """Return arrays and boosted trees of a folder; nothing where it has none.

    Raises
    ------
    ModelError
        If a file is damaged.
    """
    file, booster = folder / WEIGHTS, folder / BOOSTER
    return _arrays(file), booster.read_bytes() if booster.is_file() else None


def has_model(folder: Path) -> bool:
    """Return whether a run folder holds a model, or the members of one."""
    return any((folder / name).is_file() for name in (WEIGHTS, BOOSTER)) or member_count(folder) > 0


def member_count(folder: Path) -> int:
    """Return how many members of an ensemble a run folder holds: those numbered from 0 on."""
    count = 0
    while any((folder / MEMBERS / str(count) / name).is_file() for name in (WEIGHTS, BOOSTER)):
        count += 1
    return count


def _arrays(file: Path) -> Arrays:
    if not file.is_file():
        return {}
    try:
        arrays: Arrays = load_file(file)
    except (OSError, SafetensorError) as e:
        raise ModelError(f"'{file}' is damaged or cut short: {e}. Copy the run folder again, or train anew.") from e
    return arrays
