"""Answers of several persons from tables: into the journal as what each of them said, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.edits import Edit, LabelChange
from napari_cellstage.core.marks import Numbers
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session.exports import files_of
from napari_cellstage.session.people import PeoplePart

if TYPE_CHECKING:
    from napari_cellstage.core.experts.checking import CheckedAnswers

_NAMED = 3


@dataclass(frozen=True)
class Imported:
    """What became of answers.

    Parameters
    ----------
    added
        How many became what a person says.
    known
        How many were known already.
    kept
        Names of cells of which the person says something else in the project; that stays.
    sentences
        All of it, and what could not be used, in words.
    """

    added: int
    known: int
    kept: tuple[str, ...]
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All sentences, one a line."""
        return "\n".join(self.sentences)


class ExpertsPart(PeoplePart):
    """Answers in from tables."""

    def import_answers(self, files: Iterable[Path | str]) -> Imported:
        """Take answers of persons from tables; one undo takes all back.

        They count as labels that these persons gave blind: nobody's label changes, and where a person has said
        something of a cell in the project that stays.

        Parameters
        ----------
        files
            Tables with the columns cell (or image, t, cell_id), person (or who), answer (or class).

        Raises
        ------
        PeopleError
            In blind mode.
        CellStageError
            If no answer can be used, or nothing can be written.
        """
        from napari_cellstage.core.experts.cell_names import NamedImage, project_names
        from napari_cellstage.core.experts.checking import check_answers, names_of
        from napari_cellstage.core.experts.lines import read_answers

        self._refuse_blind("answers can't be imported")
        _ = self._space.writable
        given = read_answers(files)
        images = [
            NamedImage(one.image_id, one.name, cells, files_of(one, cells))
            for one in self.images
            if len(cells := self.cells(one.image_id))
        ]
        refs, called = CellRefs.joined(CellRefs.of(one.image_id, one.cells) for one in images), project_names(images)
        checked = check_answers(given, names_of(called), len(refs), self.scheme, self.people())
        known = self._said_by(checked.names, refs)
        new = np.where(known == UNLABELLED, checked.class_ids, UNLABELLED)
        self._write_answers(checked.names, refs, new)
        return _imported(checked, known, new, called)

    def _said_by(self, names: tuple[str, ...], cells: CellRefs) -> Numbers:
        """Return ``(N, P)`` class ids of what persons say already, 0 where nothing."""
        said, found = self._space.said(), np.zeros((len(cells), len(names)), dtype=np.int64)
        for column, name in enumerate(names):
            one = said.of(name)
            places = one.cells.places_in(cells)
            found[places[places >= 0], column] = one.class_id[places >= 0]
        return found

    def _write_answers(self, names: tuple[str, ...], cells: CellRefs, class_ids: Numbers) -> None:
        done, who = False, self._space.who
        try:
            for column, name in enumerate(names):
                changes = tuple(_changes(name, cells, class_ids[:, column]))
                if changes:
                    self._space.who = name  # the journal tells whose answers they are
                    count = sum(len(one.t) for one in changes)
                    self._do(Edit(f"import {count:,} answers", "label", labels=changes), joins_last=done)
                    done = True
        finally:
            self._space.who = who
        if done:
            self._space.forget_alone()
            self.people_changed.emit()


def _changes(who: str, cells: CellRefs, class_ids: Numbers) -> Iterable[LabelChange]:
    some = np.flatnonzero(class_ids != UNLABELLED)
    chosen, ids = cells.take(some), class_ids[some]
    for image_id, places in chosen.by_image().items():
        before = np.zeros(len(places), dtype=np.int64)
        yield LabelChange(image_id, chosen.t[places], chosen.cell_id[places], before, ids[places], who=who)


def _imported(checked: CheckedAnswers, known: Numbers, new: Numbers, called: list[tuple[str, ...]]) -> Imported:
    given = checked.class_ids != UNLABELLED
    same = int((given & (known == checked.class_ids)).sum())
    other = given & (known != UNLABELLED) & (known != checked.class_ids)
    kept = tuple(f"{called[row][0]} by {checked.names[column]}" for row, column in zip(*np.nonzero(other), strict=True))
    told = [f"{same:,} of them are in the project already."] if same else []
    if kept:
        more = f" and {len(kept) - _NAMED:,} more" if len(kept) > _NAMED else ""
        told.append(
            f"Not taken: {len(kept):,} where the person says something else in the project, which stays: "
            f"{'; '.join(kept[:_NAMED])}{more}."
        )
    added = int((new != UNLABELLED).sum())
    told.append(f"{added:,} added as what these persons say; no label has changed. Undo takes them back.")
    return Imported(added, same, kept, (*checked.sentences, *told))
