"""What each person said of the cells, how far they agree, and what is settled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.marks import Numbers
from napari_cellstage.core.people.names import PeopleError
from napari_cellstage.core.predictions import TRAINED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session.annotator import AnnotatorPart
from napari_cellstage.session.browsing import Shown
from napari_cellstage.session.runs import RunsPart

if TYPE_CHECKING:
    import pandas as pd

    from napari_cellstage.core.people.against_model import PeopleAgainstModel
    from napari_cellstage.core.people.agreement import Agreement
    from napari_cellstage.core.people.answers import Answers

_DECIDED = ("settled", "vote")
_KNOWN = ("settled", "image", "well", "folder")  # labels that do not come from a person's look


class PeoplePart(AnnotatorPart, RunsPart):
    """Persons and their labels."""

    _to_settle: Shown | None = None
    _people_said: tuple[object, Answers] | None = None

    def opinions(self) -> pd.DataFrame:
        """Return what each person says of each cell today: `image_id`, `t`, `cell_id`, `who`, `class_id`, `at`.

        That is the last label that a person gave a cell, in the open or blind. In blind mode one's own only.
        """
        return self._space.said().frame()

    def answers(self) -> Answers:
        """Return cells by persons: what each said, of cells that are still there."""
        from napari_cellstage.core.people.answers import Answers

        key = self._state_of_labels()
        if self._people_said is None or self._people_said[0] != key:
            found = Answers.of(self._space.said(), self.scheme)
            several = found.take(found.raters > 1)
            gone = found.cells.isin(several.cells.take(~self._there(several.cells)))
            self._people_said = (key, found.take(~gone))
        return self._people_said[1]

    def agreement(self) -> Agreement:
        """Return how far persons agree on cells that two or more of them labelled."""
        from napari_cellstage.core.people.agreement import agreement

        return agreement(self.answers())

    def disputed(self) -> CellRefs:
        """Return cells of which persons say different things, and that neither a settlement nor a vote has decided."""
        if self.blind or not self._space.has_project:
            return CellRefs()
        answers = self.answers()
        cells = answers.cells.take(answers.differ)
        return cells.take(~np.isin(self._shared(cells)[1], _DECIDED))

    def _look(self, blind: bool) -> None:
        if self.settling:  # which cells are disputed says what others said
            self.show_cells(CellRefs(), "")
        super()._look(blind)

    def show_disputed(self) -> CellRefs:
        """Show the disputed cells; a label that they get while they are shown settles them."""
        cells = self.disputed()
        self.show_cells(cells, "Disputed cells: a number key settles")
        self._to_settle = self.shown
        return cells

    @property
    def settling(self) -> bool:
        """True while disputed cells are shown to be settled."""
        return self._to_settle is self.shown

    def settle(self, cells: CellRefs, class_id: int) -> CellRefs:
        """Decide what disputed cells are, for all; what each person said stays. Returns those that changed.

        Raises
        ------
        PeopleError
            In blind mode, or for class 0.
        """
        self._refuse_blind("cells can't be settled")
        if class_id == UNLABELLED:
            raise PeopleError("Cells can't be settled as 'not labelled'. Choose a class, or undo.")
        return super().label_refs(cells, class_id, "settled")

    def label_refs(self, cells: CellRefs, class_id: int, origin: str = "review", continues: bool = False) -> CellRefs:
        """Give cells of any images a class; while disputed cells are shown, this settles them."""
        if origin == "review" and self.settling and class_id != UNLABELLED and not self.blind:
            origin = "settled"
        return super().label_refs(cells, class_id, origin, continues)

    def label_by_vote(self, min_share: float = 0.5) -> CellRefs:
        """Give cells that several persons labelled what most of them said; ties and settled cells stay as they are.

        One undo takes all back.

        Parameters
        ----------
        min_share
            Without this share of the votes no class has a majority.

        Returns
        -------
        CellRefs
            Cells whose label changed.
        """
        from napari_cellstage.core.people.votes import majority

        self._refuse_blind("there is no vote")
        answers = self.answers()
        answers = answers.take(answers.raters > 1)
        answers = answers.take(self._shared(answers.cells)[1] != "settled")
        voted = majority(answers, min_share)
        changed: list[CellRefs] = []
        for class_id in np.unique(voted[voted != UNLABELLED]).tolist():
            done = any(len(one) for one in changed)
            changed.append(super().label_refs(answers.cells.take(voted == class_id), class_id, "vote", done))
        return CellRefs.joined(changed)

    def people_against_model(self) -> PeopleAgainstModel:
        """Compare persons and the reviewed run's model, on cells that the model had not seen."""
        return self.comparison_with_model()()

    def comparison_with_model(self) -> Callable[[], PeopleAgainstModel]:
        """Return what does the same with the labels of now, in any thread: it asks nothing of the session."""
        from napari_cellstage.core.experts.comparing import people_with_tests
        from napari_cellstage.core.people.votes import majority

        self._refuse_blind("persons can't be compared with the model")
        answers = self.answers()
        labels, origins = self._shared(answers.cells)
        known = np.where(np.isin(origins, _KNOWN), labels, UNLABELLED)
        said, near = self._unseen_answers(answers.cells)
        reference = np.where(known != UNLABELLED, known, majority(answers))
        said = np.where(np.isin(reference, self._not_asked_for()), UNLABELLED, said)
        return partial(people_with_tests, answers, known, said, near=near)

    def _not_asked_for(self) -> list[int]:
        """Return the classes that are left out of training and that the reviewed run does not know."""
        unseen = self.unseen_then()
        return [one for one in self.left_out if unseen is None or one not in unseen.classes.ids]

    def _state_of_labels(self) -> object:
        if not self._space.has_project:
            return None
        journal, images = self._space.project.journal, tuple(self._space.entries)
        return journal.path, journal.last_batch(), images, self.scheme, self._space.only

    def _there(self, cells: CellRefs) -> NDArray[np.bool_]:
        """Return which cells are in the tables of their images."""
        found = np.zeros(len(cells), dtype=bool)
        for image_id, places in cells.by_image().items():
            found[places] = self._rows(image_id, cells, places) >= 0
        return found

    def _shared(self, cells: CellRefs) -> tuple[Numbers, NDArray[np.str_]]:
        """Return class id and origin of the labels that are shown; 0 and empty for cells that are gone."""
        ids, origins = np.zeros(len(cells), dtype=np.int64), np.full(len(cells), "", dtype="<U12")
        for image_id, places in cells.by_image().items():
            rows = self._rows(image_id, cells, places)
            here = rows >= 0
            ids[places[here]] = self.class_ids(image_id)[rows[here]]
            origins[places[here]] = self.origins(image_id, rows[here])
        return ids, origins

    def _rows(self, image_id: int, cells: CellRefs, places: Numbers) -> Numbers:
        return self._space.image(image_id).rows_of(cells.t[places], cells.cell_id[places])

    def _unseen_answers(self, cells: CellRefs) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return class ids that the reviewed run's models give cells they had not seen, 0 for all others.

        Also which of these are by a model that was trained on other cells of their image.
        """
        unseen = self.unseen_then()
        ids, near = np.full(len(cells), UNLABELLED, dtype=np.int64), np.zeros(len(cells), dtype=bool)
        if unseen is not None:
            places = cells.places_in(unseen.cells)
            ids = np.where(places >= 0, np.append(unseen.classes.ids, UNLABELLED)[unseen.predicted[places]], UNLABELLED)
        for image_id, places in cells.by_image().items():
            found = self.predictions(image_id)
            if found is not None and (unseen is None or found.run == self.review_run):
                rows = self._rows(image_id, cells, places)
                new = (rows >= 0) & (found.part[rows] != TRAINED) & (ids[places] == UNLABELLED)
                ids[places[new]] = found.take(rows[new]).predicted
                near[places[new]] = (found.part == TRAINED).any()
        return np.where(np.isin(ids, self.scheme.ids), ids, UNLABELLED), near
