"""`napari-cellstage import`: images, folders and class folders into a project, with their facts and cells."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.import_labels import take_cells
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.segmenting import chosen_channel
from napari_cellstage.core.errors import CellStageError, ImageError, ReadOnlyError
from napari_cellstage.core.folder_files import looks_like_class_folders
from napari_cellstage.core.folders import reading_class_folders
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.plate_map import read_plate_map
from napari_cellstage.core.plate_placing import place_on
from napari_cellstage.core.plates import NamePattern, read_names
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.core.reading.gather import Gathered, gather, open_series, with_axes
from napari_cellstage.core.segment import find_cells_in_stack
from napari_cellstage.core.store import DATABASE, with_suffix
from napari_cellstage.session import Session

PARTLY = 3  # exit code: some files could not be used, the others were


@dataclass(frozen=True)
class ImportChoices:
    """What the options of the command say.

    Parameters
    ----------
    axes
        Of all files, instead of what they say; None: as they say.
    series
        Numbered TIFFs that look like one image become one.
    sheets
        Whether folders are class folders; None: those that look like it.
    group_from
        Regular expression for the group of a picture in class folders.
    pattern, plate_map
        Where plate, well and so on come from.
    find
        Find the cells of images that have none.
    channel, method
        In which channel and how.
    labels
        Whether files that look like the cells of others become their cells; else they are images.
    """

    axes: str | None = None
    series: bool = False
    sheets: bool | None = None
    group_from: str | None = None
    pattern: str | None = None
    plate_map: Path | None = None
    find: bool = False
    channel: int | None = None
    method: str | None = None
    labels: bool = True


@dataclass
class _Outcome:
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    added: list[int] = field(default_factory=list)


def import_files(paths: list[Path], folder: Path, choices: ImportChoices, *, as_json: bool) -> None:
    """Put files into a project, which is made when it is not there; exit code 3 when only some could be used.

    Parameters
    ----------
    paths
        Files and folders.
    folder
        The project.
    choices
        How.
    as_json
        Whether to end with a line of JSON.
    """
    pattern = NamePattern(choices.pattern) if choices.pattern else None  # wrong ones are said before the work
    reporter, outcome, start = Reporter(), _Outcome(), time.perf_counter()
    session = _opened(folder)
    try:
        with stop_on_interrupt(reporter.say) as should_stop:
            sheets = [path for path in paths if _is_sheet(path, choices.sheets)]
            _add_images([path for path in paths if path not in sheets], session, choices, outcome, reporter)
            for path in sheets:
                with _kept_going(outcome):
                    work = reading_class_folders(path, choices.group_from, should_stop=should_stop)
                    crops = reporter.follow(work, f"reading {path.name}")
                    outcome.added.append(session.add_sheet(crops, path))
                    outcome.notes += (*crops.notes, *crops.skipped)
                    reporter.say(f"{path.name}: {crops.text}")
            _check_some(outcome, paths)
            _put_facts(session, pattern, choices.plate_map, outcome)
            if choices.find:
                _find(session, choices, outcome, reporter, should_stop)
        _answer(session, outcome, reporter, time.perf_counter() - start, as_json)
    finally:
        session.close()
    if outcome.failed:
        raise typer.Exit(PARTLY)


def _opened(folder: Path) -> Session:
    folder = with_suffix(folder.expanduser().absolute())
    session = Session()
    if (folder / DATABASE).is_file():
        session.open_project(folder)
    else:
        session.new_project(folder)
    if session.read_only and session.project is not None:
        reason = session.project.reason
        session.close()
        raise ReadOnlyError(reason)
    return session


class _kept_going:  # noqa: N801 - used like contextlib's
    """Notes a known error, so that the rest goes on."""

    def __init__(self, outcome: _Outcome) -> None:
        self._outcome = outcome

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, CellStageError):
            self._outcome.failed.append(str(error))
            return True
        return False


def _is_sheet(path: Path, wanted: bool | None) -> bool:
    return path.is_dir() and (looks_like_class_folders(path) if wanted is None else wanted)


def _add_images(
    paths: list[Path], session: Session, choices: ImportChoices, outcome: _Outcome, reporter: Reporter
) -> None:
    present = [path for path in paths if path.exists()]
    outcome.failed += [f"There is no file '{path}'. Check the name." for path in paths if path not in present]
    known = [entry.place for entry in session.images] if choices.labels else None
    opened = reporter.follow(gather(present, {}, images_of_labels=known), "opening images")
    if not choices.series:
        opened = _without_series(opened, outcome, reporter)
    outcome.failed += opened.failed
    stacks = [*opened.stacks, *_said(opened, choices.axes, outcome)]
    for series in opened.series:
        with _kept_going(outcome):
            stacks.append(open_series(series, {}))
    for stack in _with_axes(stacks, choices.axes, outcome):
        with _kept_going(outcome):
            outcome.added += session.add_images([stack])
    opened.note_channels()
    session.suggest_channels(opened.channels)
    notes, failed = take_cells(opened.companions, session, reporter)
    outcome.notes += notes
    outcome.failed += failed


def _without_series(opened: Gathered, outcome: _Outcome, reporter: Reporter) -> Gathered:
    """Open the files of each series one by one, and say that there is another way."""
    for series in opened.series:
        outcome.notes.append(f"{series.folder.name}: its numbered files were opened one by one; --series makes one.")
        each = reporter.follow(gather([series.folder], {}, with_series=False), "opening images")
        known = {stack.path for stack in opened.stacks}
        opened.failed += each.failed
        for stack in (*each.stacks, *(one for group in each.unsure.values() for one in group)):
            if stack.path not in known:
                opened.add(stack)
    opened.series = []
    return opened


def _said(opened: Gathered, axes: str | None, outcome: _Outcome) -> list[ImageStack]:
    """Return images whose axes were guessed, and say so where none were given."""
    unsure = [stack for group in opened.unsure.values() for stack in group]
    if axes is None:
        outcome.notes += [
            f"'{stack.name}' does not say what its axes are; taken for {stack.guessed_axes}. Give --axes if not."
            for stack in unsure
        ]
    return unsure


def _with_axes(stacks: Iterable[ImageStack], axes: str | None, outcome: _Outcome) -> Iterable[ImageStack]:
    for stack in stacks:
        with _kept_going(outcome):
            yield stack if axes is None else with_axes(stack, axes)


def _check_some(outcome: _Outcome, paths: list[Path]) -> None:
    if not outcome.added:
        why = outcome.failed[0] if outcome.failed else "There are no images in it."
        raise ImageError(f"Nothing could be imported from {', '.join(repr(str(path)) for path in paths)}. {why}")


def _put_facts(session: Session, pattern: NamePattern | None, plate_map: Path | None, outcome: _Outcome) -> None:
    names, known = session.source_names(), session.facts_all()
    if pattern is not None:
        readings = read_names(pattern, names)
        session.set_facts({i: one.facts.over(known.get(i, ImageFacts())) for i, one in readings.items()})
        outcome.notes += [f"'{name}' does not fit the pattern." for i, name in names.items() if i not in readings]
    if plate_map is not None:
        known = session.facts_all()
        read = read_plate_map(plate_map)
        placed = place_on(read, {i: known.get(i, ImageFacts()) for i in names}, names)
        session.set_facts(placed.facts)
        outcome.notes += (*read.problems, *placed.problems)


def _find(session: Session, choices: ImportChoices, outcome: _Outcome, reporter: Reporter, should_stop: Any) -> None:
    settings = session.segment_settings
    settings = replace(settings, method=choices.method) if choices.method else settings
    for image_id in outcome.added:
        entry = next(one for one in session.images if one.image_id == image_id)
        if entry.stack is None or len(session.cells(image_id)) or should_stop():
            continue
        with _kept_going(outcome):
            channel = chosen_channel(entry.stack, choices.channel, reporter)
            fitting = settings.on(channel, entry.stack.shape[1])
            work = find_cells_in_stack(entry.stack, fitting, should_stop)
            labels = reporter.follow(work, f"finding cells in {entry.name}")
            if not should_stop():
                session.set_labels(labels, image_id, found_in=predicted_among([entry.stack.channel_names[channel]]))
                reporter.say(f"{entry.name}: {len(session.cells(image_id))} cells")


def _answer(session: Session, outcome: _Outcome, reporter: Reporter, seconds: float, as_json: bool) -> None:
    for text in (*outcome.notes, *(f"Not imported: {text}" for text in outcome.failed)):
        reporter.say(text)
    added = set(outcome.added)
    images = [
        {"id": state.image_id, "name": state.name, "cells": state.cells or 0, "labelled": state.labelled}
        for state in session.image_states()
        if state.image_id in added
    ]
    folder = session.project.folder if session.project else None
    reporter.say(f"{len(images)} images in {folder}")
    if as_json:
        values = {"project": str(folder), "images": images, "failed": outcome.failed, "notes": outcome.notes}
        write_json(values | {"seconds": round(seconds, 3)})
