"""`napari-cellstage segment`: find the cells of an image, or of each scene of it, and write them as labels."""

from __future__ import annotations

import time
from dataclasses import MISSING, Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.writing import safe_name, write_labels
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.channel_guess import channel_sentence, looks_nuclear
from napari_cellstage.core.errors import CellsError, ImageError
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack, open_image, open_images
from napari_cellstage.core.segment import find_cells_in_stack
from napari_cellstage.core.volumes import LabelVolume

ALL = "all"
_NOT_SET = ("channel", "second_channel", "method")  # have options of their own


@dataclass(frozen=True)
class SegmentChoices:
    """What the command line says of finding cells; None and empty: not said.

    Parameters
    ----------
    channel, second_channel
        From 0; None: the one that shows nuclei by its name or its looks, and another one.
    method
        Of `METHODS`.
    settings
        ``NAME=VALUE`` of the other fields of `SegmentSettings`.
    """

    channel: int | None = None
    second_channel: int | None = None
    method: str | None = None
    settings: tuple[str, ...] = ()

    def on(self, stack: ImageStack, reporter: Reporter) -> SegmentSettings:
        """Return the settings for an image; a channel that was guessed is told.

        Raises
        ------
        CellsError
            If there is no such method or setting, or a value does not fit.
        """
        given = dict(parsed(one) for one in self.settings)
        if self.method is not None:
            given["method"] = known_method(self.method)
        channel = chosen_channel(stack, self.channel, reporter)
        settings = SegmentSettings(**given).on(channel, stack.shape[1])
        return settings if self.second_channel is None else replace(settings, second_channel=self.second_channel)


def segment_image(
    image: Path, out: Path, choices: SegmentChoices, *, axes: str | None, scene: str | None, as_json: bool
) -> None:
    """Find the cells of an image and write them as a label image.

    Parameters
    ----------
    image, out
        Files; `out` may be a ``.zarr`` folder.
    choices
        How cells are found.
    axes
        Of the file, where it does not say them or says wrong.
    scene
        Which one, ``"all"``: each, in a file of its own named after it; None: the only one.
    as_json
        Whether to end with a line of JSON.
    """
    reporter, start = Reporter(), time.perf_counter()
    stacks = chosen_scenes(image, axes, scene)
    answers = []
    for stack in stacks:
        place = out if len(stacks) == 1 else _named(out, stack.scene)
        answers.append(_segment_one(stack, place, choices, reporter))
    if as_json:
        total: dict[str, Any] = {"cells": sum(one["cells"] for one in answers)}
        total |= {"seconds": round(time.perf_counter() - start, 3), "labels": answers[0]["labels"]}
        write_json(total | ({"images": answers} if len(answers) > 1 else {}))


def chosen_scenes(image: Path, axes: str | None, scene: str | None) -> tuple[ImageStack, ...]:
    """Return the image of a file, or those of its scenes.

    Raises
    ------
    ImageError
        If there are several scenes and none is chosen, or there is no such scene.
    """
    if scene not in (None, ALL):
        return (open_image(image, axes, scene or ""),)
    stacks = open_images(image, axes)
    if len(stacks) > 1 and scene is None:
        names = ", ".join(f"'{stack.scene}'" for stack in stacks)
        raise ImageError(
            f"'{image.name}' holds {len(stacks)} scenes: {names}. Choose one with --scene NAME, or --scene all."
        )
    return stacks


def chosen_channel(stack: ImageStack, given: int | None, reporter: Reporter) -> int:
    """Return the channel in which cells are found; one that no name tells is guessed, and that is said."""
    if given is not None:
        return given
    channel = looks_nuclear(stack)
    if channel is not None and (text := channel_sentence(stack, channel)):
        reporter.say(text)
    return channel or 0


def find_with_progress(stack: ImageStack, settings: SegmentSettings, reporter: Reporter) -> LabelVolume:
    """Find the cells of a stack; Ctrl+C keeps what was found."""
    with stop_on_interrupt(reporter.say) as should_stop:
        return reporter.follow(find_cells_in_stack(stack, settings, should_stop), "finding cells")


def known_method(name: str) -> str:
    """Return the name of a method; `CellsError` with all names when there is none of it."""
    if name not in METHODS:
        raise CellsError(f"There is no method '{name}'. Choose one of: {', '.join(METHODS)}.")
    return name


def parsed(text: str) -> tuple[str, Any]:
    """Return name and value of a setting written as ``NAME=VALUE``.

    Raises
    ------
    CellsError
        If it is not written so, there is no such setting, or the value is no number where one is needed.
    """
    name, sign, value = text.partition("=")
    known = {one.name: one for one in fields(SegmentSettings) if one.name not in _NOT_SET}
    if not sign or name not in known:
        raise CellsError(f"'{text}' is no setting. Write --set NAME=VALUE with one of these names: {', '.join(known)}.")
    return name, _value(known[name], value)


def _value(field: Field[Any], text: str) -> Any:
    if field.default is MISSING or isinstance(field.default, str):
        return text
    try:
        return float(text)
    except ValueError as error:
        raise CellsError(f"{field.name} is '{text}', but must be a number.") from error


def _segment_one(stack: ImageStack, out: Path, choices: SegmentChoices, reporter: Reporter) -> dict[str, Any]:
    settings = choices.on(stack, reporter)
    labels = find_with_progress(stack, settings, reporter)
    cells = labels.cells if labels.cells is not None else CellTable.from_labels(labels)
    write_labels(labels, out, int(cells.cell_id.max(initial=0)))
    reporter.say(f"{len(cells)} cells, saved in {out}")
    return {"image": stack.name, "cells": len(cells), "labels": str(out), "method": settings.method}


def _named(out: Path, scene: str) -> Path:
    """Return the file of a scene, beside `out`."""
    return out.with_name(f"{out.stem}-{safe_name(scene)}{out.suffix}")
