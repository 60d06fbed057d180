"""`napari-cellstage sample`: the built-in synthetic samples as files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.cli.answers import OutputError, cannot_write, write_json
from napari_cellstage.cli.progress import Reporter
from napari_cellstage.cli.sample_files import NOTE, write_note, writing_crops, writing_fields, writing_stained
from napari_cellstage.core.errors import CellsError
from napari_cellstage.sample_stained import focus_um

SMALLEST_WIDTH, LARGEST_WIDTH = 400, 8000  # pixels of a photograph
STAINED, STAINED_FIELDS = "stained", 4  # enough to hold one out
CROPS_EACH = {"microtubules": 1100, "photographs": 60}  # as many as were published of the first


@dataclass(frozen=True)
class SampleChoices:
    """Which sample, and how much of it.

    Parameters
    ----------
    name
        ``"field"``, ``"movie"``, ``"microtubules"``, ``"photographs"`` or ``"stained"``.
    out
        A folder that is empty or not there.
    per_class
        Crops of each class; None: not said.
    fields
        Whole images; None: not said.
    seed
        Same seed, same pixels.
    width
        Of whole photographs, in pixels; None: not said.
    planes
        Of stained cells, in depth; None: not said.
    """

    name: str
    out: Path
    per_class: int | None = None
    fields: int | None = None
    seed: int = 0
    width: int | None = None
    planes: int | None = None


def write_sample(choices: SampleChoices, *, as_json: bool) -> None:
    """Write a synthetic sample into a folder.

    Parameters
    ----------
    choices
        Which, where and how much.
    as_json
        Whether to end with a line of JSON.

    Raises
    ------
    CellsError
        If the choices do not fit one another or the sample.
    OutputError
        If the folder is not empty or can't be written.
    """
    _check(choices)
    reporter, start = Reporter(), time.perf_counter()
    name, out, seed = choices.name, choices.out, choices.seed
    as_crops = choices.fields is None and name in CROPS_EACH
    count = choices.per_class or CROPS_EACH[name] if as_crops else choices.fields or _usual(name)
    command = f"napari-cellstage sample {name} {'--per-class' if as_crops else '--fields'} {count} --seed {seed}"
    command += "" if choices.width is None else f" --width {choices.width}"
    command += "" if choices.planes is None else f" --planes {choices.planes}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_note(out, command)
        if as_crops:
            work = writing_crops(name, out, count, seed)
        elif name == STAINED:
            work = writing_stained(out, count, seed, choices.planes)
        else:
            work = writing_fields(name, out, count, seed, choices.width)
        done = reporter.follow(work, f"drawing {name}")
    except OSError as error:
        raise cannot_write(out, error) from error
    seconds, classes = time.perf_counter() - start, ", ".join(done.classes)
    what = "crops" if as_crops else f"cells in {done.images} image{'' if done.images == 1 else 's'}"
    reporter.say(f"{done.cells:,} SYNTHETIC {what}, classes {classes}, in {seconds:.0f} s: {out}")
    if as_json:
        told = {"images": done.images, "cells": done.cells, "classes": list(done.classes), "seconds": round(seconds, 3)}
        write_json({"sample": name, "synthetic": True, "out": str(out), "note": NOTE, "seed": seed} | told)


def _usual(name: str) -> int:
    """Return how many fields a sample has where nobody says it."""
    return STAINED_FIELDS if name == STAINED else 1


def _check(choices: SampleChoices) -> None:
    """Raise an error where choices do not fit the sample, or files of others would be among its own."""
    _check_counts(choices)
    _check_looks(choices)
    if choices.seed < 0:
        raise CellsError(f"--seed is {choices.seed}, but must be 0 or more.")
    _check_out(choices.out)


def _check_counts(choices: SampleChoices) -> None:
    name = choices.name
    if choices.per_class is not None and choices.fields is not None:
        raise CellsError(
            f"--per-class {choices.per_class} asks for crops, --fields {choices.fields} for whole images. "
            "Give one of them, and each its own folder."
        )
    if choices.per_class is not None and name not in CROPS_EACH:
        raise CellsError(
            f"--per-class {choices.per_class}: the sample '{name}' has no crops. "
            f"Leave it out, or choose one of: {', '.join(CROPS_EACH)}."
        )
    for option, count in (("--per-class", choices.per_class), ("--fields", choices.fields)):
        if count is not None and count < 1:
            raise CellsError(f"{option} is {count}, but must be 1 or more.")


def _check_looks(choices: SampleChoices) -> None:
    name = choices.name
    if choices.width is not None and (name != "photographs" or choices.fields is None):
        raise CellsError(
            f"--width {choices.width} is the width of whole photographs. "
            "Leave it out, or ask for photographs with --fields."
        )
    if choices.width is not None and not SMALLEST_WIDTH <= choices.width <= LARGEST_WIDTH:
        raise CellsError(f"--width is {choices.width}, but must be {SMALLEST_WIDTH} to {LARGEST_WIDTH}.")
    if choices.planes is not None and name != STAINED:
        raise CellsError(
            f"--planes {choices.planes} is for stained cells in phase contrast. Leave it out, or ask for '{STAINED}'."
        )
    if choices.planes is not None:
        focus_um(choices.planes)


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"'{out}' is a file, but a folder is needed. Choose another name with --out.")
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(
            f"'{out}' is not empty, and synthetic files must not be mixed with others. Choose a new folder with --out."
        )
