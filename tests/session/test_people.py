"""Who labels, blind labelling, disputed cells: what is shown, and that nothing of it gets lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import filelock
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from napari_cellstage.core.people.names import PeopleError
from napari_cellstage.core.predictions import NEITHER, TRAINED, Predictions
from napari_cellstage.core.project_lock import current_user
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, stack_for, watch


def refs(session: Session, *rows: int) -> CellRefs:
    return CellRefs.of(1, session.cells(1), np.array(rows, dtype=np.int64))


def said(session: Session) -> dict[tuple[str, int], int]:
    frame = session.opinions()
    return dict(zip(zip(frame.who, frame.cell_id.tolist(), strict=True), frame.class_id.tolist(), strict=True))


def by(session: Session, who: str, rows: list[int], class_id: int, blind: bool = False) -> None:
    session.annotator = who
    session.blind = blind
    session.label_cells(rows, class_id)
    session.blind = False


@pytest.fixture
def disputed(ready: Session) -> Session:
    """Ada in the open, Bob and Cy blind; cell 3 is a tie of Ada and Bob, cell 2 is Bob's and Cy's against Ada."""
    by(ready, "Ada", [0, 1, 2], 1)
    by(ready, "Bob", [0], 1, blind=True)
    by(ready, "Bob", [1, 2], 2, blind=True)
    by(ready, "Cy", [1], 2, blind=True)
    return ready


# who


def test_until_somebody_says_who_labels_it_is_the_user_of_the_computer(ready):
    ready.label_cells([0], 1)

    assert not ready.annotator_known
    assert set(said(ready)) == {(current_user(), 1)}


def test_a_name_is_asked_once_and_known_the_next_time(ready, tmp_path):
    ready.annotator = "  =1+1 <b>O'Hara</b> "

    assert ready.annotator == "=1+1 <b>O'Hara</b>"
    assert Session(tmp_path).annotator == ready.annotator
    assert Session(tmp_path).annotator_known


def test_a_name_that_is_none_changes_nothing(ready):
    with pytest.raises(PeopleError, match="is no name"):
        ready.annotator = "  "
    assert not ready.annotator_known


def test_other_capitals_are_the_same_person(ready):
    by(ready, "Ada", [0], 1)
    ready.annotator = "ada "

    assert ready.annotator == "Ada"
    assert ready.people() == ("Ada",)


def test_who_listens_hears_of_another_person_and_of_blind(ready):
    heard = watch(ready, "people_changed", "labels_changed")
    ready.annotator = "Ada"
    ready.blind = True

    assert heard == [("people_changed",), ("labels_changed", 1, list(range(9))), ("people_changed",)]


# in the open


def test_the_last_label_of_each_person_counts_and_undone_ones_do_not(ready):
    by(ready, "Ada", [0, 1], 1)
    by(ready, "Bob", [0, 1], 2)
    ready.undo()
    assert said(ready) == {("Ada", 1): 1, ("Ada", 2): 1}
    ready.redo()
    by(ready, "Bob", [0], 3)
    assert said(ready) == {("Ada", 1): 1, ("Ada", 2): 1, ("Bob", 1): 3, ("Bob", 2): 2}
    by(ready, "Ada", [0], 0)
    assert ("Ada", 1) not in said(ready)


def test_who_says_the_same_in_the_open_is_noted_too(ready):
    by(ready, "Ada", [0], 1)
    ready.label_cells([0], 1)  # alone, the same key again says nothing new
    assert ready._space.project.journal.last_batch() == said_batches(ready)
    by(ready, "Bob", [0], 1)

    assert said(ready) == {("Ada", 1): 1, ("Bob", 1): 1}
    assert ready.agreement().pairs[0].raw == 1
    ready.undo()
    assert said(ready) == {("Ada", 1): 1}
    assert ready.counts()[1] == 1


def said_batches(session: Session) -> int:
    rows = session._space.project.journal._all("SELECT MAX(batch_id) FROM batch WHERE kind = 'label'")
    return int(rows[0][0])


def test_labels_of_wells_images_and_votes_are_nobodys_opinion(ready):
    ready.annotator = "Ada"
    ready.label_images([1], 2)
    assert said(ready) == {}


# blind


def test_blind_one_sees_only_ones_own_labels_and_no_predictions(disputed):
    session = disputed
    session.set_predictions({1: predicted(session)}, session.snapshot().version)
    session.annotator = "Bob"
    session.blind = True

    assert session.class_ids().tolist() == [1, 2, 2, 0, 0, 0, 0, 0, 0]
    assert session.counts()[2] == 2
    assert session.image_states()[0].labelled == 3
    assert session.predictions() is None
    assert {who for who, _ in said(session)} == {"Bob"}
    assert len(session.disputed()) == 0
    assert set(session.table()["label"]) == {"", *(session.scheme.by_id(i).name for i in (1, 2))}
    session.blind = False
    assert session.class_ids().tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert session.predictions() is not None


def test_blind_labels_are_undone_and_leave_the_shared_ones_alone(ready):
    by(ready, "Ada", [0], 1)
    ready.annotator, ready.blind = "Bob", True
    assert not ready.can_undo
    ready.label_cells([0, 1], 2)
    ready.label_cells([1], 3, continues=True)
    ready.undo()
    assert ready.class_ids().tolist() == [0] * 9
    ready.redo()
    ready.blind = False

    assert ready.counts() | {2: 0, 3: 0} == ready.counts()
    assert said(ready) == {("Ada", 1): 1, ("Bob", 1): 2, ("Bob", 2): 3}
    ready.undo()
    assert ready.counts()[1] == 0


def test_blind_is_kept_with_the_project_for_this_person(disputed):
    session, folder = disputed, disputed.project.folder
    session.annotator, session.blind = "Bob", True
    session.close()
    session.open_project(folder)
    assert session.blind
    assert session.counts()[2] == 2
    session.annotator = "Ada"
    assert not session.blind


def test_blind_nothing_changes_that_all_share(disputed):
    session = disputed
    session.annotator, session.blind = "Bob", True
    acts = (
        lambda: session.set_labels(grid()),
        lambda: session.delete_cells([0]),
        lambda: session.delete_class(1),
        lambda: session.label_images([1], 1),
        lambda: session.remove_images([1]),
    )
    for act in acts:
        with pytest.raises(PeopleError, match=r"Blind labelling is on, so '.+' can't be done"):
            act()
    for act in (session.snapshot, session.label_by_vote, session.people_against_model):
        with pytest.raises(PeopleError, match=r"Blind labelling is on, so .* Switch it off first"):
            act()
    assert session.add_class("another") in session.scheme.ids


def test_without_a_project_there_is_nothing_to_label_blind(session):
    with pytest.raises(PeopleError, match="No project is open"):
        session.blind = True
    assert session.opinions().empty
    assert session.agreement().pairs == ()


def test_what_persons_said_goes_with_cells_that_are_found_again(disputed):
    session, before = disputed, said(disputed)
    session.set_labels(np.where(grid() > 0, 10 - grid(), 0))

    assert said(session) == {(who, 10 - cell): class_id for (who, cell), class_id in before.items()}
    session.undo()
    assert said(session) == before
    session.redo()
    session.annotator, session.blind = "Bob", True
    assert session.class_ids().tolist() == [0, 0, 0, 0, 0, 0, 2, 2, 1]


def test_a_class_deleted_since_is_said_by_nobody_until_it_is_back(disputed):
    session, before = disputed, said(disputed)
    session.delete_class(2)
    assert set(said(session).values()) == {1}
    session.undo()
    assert said(session) == before


def test_read_only_one_may_look_blind_and_nothing_is_written(disputed):
    session, folder = disputed, disputed.project.folder
    other = Session(folder.parent)
    other.open_project(folder)
    assert other.read_only
    other.annotator, other.blind = "Bob", True
    assert other.counts()[2] == 2
    assert len(other.opinions()) == 3
    other.close()
    assert session.setting("blind") == []


def test_a_project_from_before_there_were_persons_opens_and_is_read_only_too(ready, tmp_path):
    ready.label_cells([0], 1)
    folder = ready.project.folder
    ready.close()
    db = sqlite3.connect(folder / "project.sqlite")
    db.executescript("DROP TABLE stain; DROP TABLE found_in; DROP TABLE opinion; DROP TABLE person;")
    db.executescript("DROP TRIGGER batch_by; PRAGMA user_version = 2;")
    db.close()
    lock = filelock.FileLock(folder / "project.lock")
    with lock:
        ready.open_project(folder)
        assert ready.read_only
        assert set(said(ready)) == {(current_user(), 1)}
        ready.blind = True
        assert ready.class_ids()[0] == 1
        ready.close()
    ready.open_project(folder)
    assert not ready.blind
    assert ready.people() == (current_user(),)
    by(ready, "Ada", [0], 2, blind=True)
    assert len(said(ready)) == 2
    assert ready.people() == ("Ada", current_user())


def test_opinions_are_never_changed_or_deleted(disputed):
    db = disputed._space.project.journal._db
    for act in ("UPDATE opinion SET class_id = 1", "DELETE FROM opinion"):
        with pytest.raises(sqlite3.IntegrityError, match="opinion is append-only"):
            db.execute(act)


def test_a_segmentation_on_which_only_blind_labels_were_given_is_kept(ready):
    folder = ready.project.folder
    by(ready, "Ada", [0], 1, blind=True)
    ready.set_labels(np.where(grid() > 0, 10 - grid(), 0))
    ready.close()
    ready.open_project(folder)
    assert len(list((folder / "labels").glob("1-1*"))) > 0
    assert said(ready) == {("Ada", 9): 1}


# settled


def test_disputed_cells_are_settled_and_undone(disputed):
    session = disputed
    assert session.disputed() == refs(session, 1, 2)

    assert session.settle(refs(session, 1, 2), 1) == refs(session, 1, 2)  # as it was, but now it is decided
    assert session.origins()[:3].tolist() == ["hand", "settled", "settled"]
    assert len(session.disputed()) == 0
    assert said(session)["Bob", 2] == 2
    session.undo()
    assert session.disputed() == refs(session, 1, 2)
    with pytest.raises(PeopleError, match="can't be settled as 'not labelled'"):
        session.settle(refs(session, 1), 0)


def test_while_disputed_cells_are_shown_a_label_settles_them(disputed):
    session = disputed
    session.show_disputed()
    session.label_refs(refs(session, 1), 2)
    assert session.settling
    assert session.origins()[1] == "settled"
    session.show_cells(refs(session, 2), "another")
    session.label_refs(refs(session, 2), 2)
    assert session.origins()[2] == "review"


def test_a_vote_decides_what_is_clear_in_one_act_and_leaves_ties(disputed):
    session = disputed
    assert session.label_by_vote() == refs(session, 1)
    assert session.origins()[:3].tolist() == ["hand", "vote", "hand"]
    assert session.disputed() == refs(session, 2)
    session.undo()
    assert session.class_ids()[1] == 1


def test_a_vote_of_several_classes_is_one_undo(ready):
    for who in ("Ada", "Bob", "Cy"):
        by(ready, who, [0], 1, blind=True)
        by(ready, who, [1], 2, blind=True)
    ready.label_cells([5], 3)

    assert len(ready.label_by_vote()) == 2
    ready.undo()
    assert ready.class_ids().tolist() == [0, 0, 0, 0, 0, 3, 0, 0, 0]


def test_a_settled_cell_stays_settled_when_it_is_labelled_the_same(disputed):
    disputed.settle(refs(disputed, 1), 2)
    disputed.label_cells([1], 2)
    assert disputed.origins()[1] == "settled"


def test_persons_and_model_on_cells_the_model_had_not_seen(disputed):
    session = disputed
    session.settle(refs(session, 1, 2), 2)
    answer = predicted(session)
    answer.part[0] = 1  # a training cell
    session.set_predictions({1: answer}, session.snapshot().version)

    found = session.people_against_model()

    assert (found.cells, found.known, found.left_out) == (2, 2, 1)
    standing = {one.name: one.accuracy for one in found.standings}
    assert (standing["Ada"], standing["Bob"]) == (0, 1)


def test_cells_deleted_by_hand_are_not_compared(disputed):
    disputed.delete_cells([1])
    assert disputed.disputed().cell_id.tolist() == [3]
    disputed.undo()
    assert disputed.disputed().cell_id.tolist() == [2, 3]


class Persons(RuleBasedStateMachine):
    """Three persons label, blind or not, undo, change places, close and open: what each said and all share is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.before = os.environ["NAPARI_CELLSTAGE_CONFIG"]
        os.environ["NAPARI_CELLSTAGE_CONFIG"] = str(self.home / "config")
        self.session = Session(self.home)

    @initialize()
    def begin(self) -> None:
        self.session.use_template("exposure")
        self.session.add_image(stack_for(grid()))
        self.session.set_labels(grid())
        self.session.close()
        self.session.annotator = "Ada"
        self.session.open_project(next(self.home.glob("*.cellstage")))
        self.shared: dict[int, int] = {}
        self.own: dict[str, dict[int, int]] = {who: {} for who in ("Ada", "Bob", "Cy")}
        self.pasts: dict[str, list[tuple[int, int, str]]] = {}

    def past(self) -> list[tuple[int, int, str]]:
        return self.pasts.setdefault(self.session.annotator if self.session.blind else "", [])

    @rule(who=st.sampled_from(["Ada", "Bob", "Cy"]))
    def change_places(self, who: str) -> None:
        self.session.annotator = who

    @rule()
    def turn_blind(self) -> None:
        self.session.blind = not self.session.blind

    @rule(row=st.integers(0, 2), choice=st.integers(0, 3))
    def label(self, row: int, choice: int) -> None:
        class_id = (0, *self.session.scheme.ids)[choice % (1 + len(self.session.scheme.ids))]
        before = int(self.session.class_ids()[row])
        if not len(self.session.label_cells([row], class_id)):
            return
        self.past().append((row, before, self.session.annotator))
        self.own[self.session.annotator][row] = class_id
        if not self.session.blind:
            self.shared[row] = class_id

    @rule()
    def undo(self) -> None:
        assert self.session.can_undo == bool(self.past())
        if not self.past():
            return
        self.session.undo()
        row, before, who = self.past().pop()
        if self.session.blind:
            self.own[who][row] = before
        else:
            self.shared[row] = before
            self.own[who][row] = self.said(who).get(row, 0)  # what is left of it; nothing else may change

    def said(self, who: str) -> dict[int, int]:
        names = self.session._space.opinions().of(who).marks(1).names()
        return {cell_id - 1: class_id for (_, cell_id), class_id in names.items()}

    @rule()
    def open_again(self) -> None:
        folder = self.session.project.folder
        self.session.close()
        self.session = Session(self.home)
        self.session.open_project(folder)
        self.pasts = {}

    @invariant()
    def nothing_is_lost(self) -> None:
        if self.session.project is None:
            return
        marks = self.session._space.project.journal.marks(1)
        assert marks.names() == {(0, row + 1): c for row, c in sorted(self.shared.items()) if c}
        for who, labels in self.own.items():
            assert self.said(who) == {row: c for row, c in sorted(labels.items()) if c}

    @invariant()
    def what_is_shown_fits(self) -> None:
        if self.session.project is None:
            return
        shown = self.session.class_ids()
        wanted = self.own[self.session.annotator] if self.session.blind else self.shared
        assert shown.tolist() == [wanted.get(row, 0) for row in range(9)]
        assert self.session.counts() == {i: int((shown == i).sum()) for i in self.session.scheme.ids}

    def teardown(self) -> None:
        self.session.close()
        os.environ["NAPARI_CELLSTAGE_CONFIG"] = self.before
        shutil.rmtree(self.home, ignore_errors=True)


TestPersons = Persons.TestCase
TestPersons.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_label_that_is_undone_is_nobodys_opinion_also_after_cells_were_found_again_and_that_was_undone(ready):
    by(ready, "Ada", [0], 1)
    ready.set_labels(np.roll(grid(), 1, axis=2))
    assert said(ready) == {("Ada", 1): 1}
    ready.undo()
    assert said(ready) == {("Ada", 1): 1}
    ready.undo()
    assert said(ready) == {}
    ready.redo()
    assert said(ready) == {("Ada", 1): 1}


def test_what_was_said_blind_of_cells_comes_and_goes_with_them(ready):
    by(ready, "Ada", [0], 1, blind=True)
    turned = np.where(grid() > 0, 10 - grid(), 0)
    ready.set_labels(turned)
    by(ready, "Ada", [0], 2, blind=True)  # another cell, of the same name
    assert said(ready) == {("Ada", 1): 2, ("Ada", 9): 1}
    ready.undo()
    assert said(ready) == {("Ada", 1): 1}
    ready.redo()
    assert said(ready) == {("Ada", 1): 2, ("Ada", 9): 1}


def test_what_was_said_of_one_image_is_found_without_the_acts_of_all(ready, monkeypatch):
    journal = ready.project.journal
    for row in range(9):
        by(ready, "Ada", [row], row % 2 + 1)
    second = ready.add_image(stack_for(grid(), "b", 1))
    ready.set_labels(grid(), second)
    read = []
    journal._db.set_trace_callback(read.append)
    assert len(journal.opinions(second)) == 0
    batches = [one for one in read if "FROM batch WHERE" in one]
    journal._db.set_trace_callback(None)
    assert len(batches) == 1
    assert journal._all(batches[0]) == []


def test_latest_predictions_of_an_image_that_was_trained_on_are_told_apart_from_those_of_others(session):
    session.use_template("exposure")
    for seed, name in enumerate(("a", "b")):
        image_id = session.add_image(stack_for(grid(), name, seed))
        session.set_labels(grid(), image_id)
    parts = {1: np.array([TRAINED] * 3 + [NEITHER] * 6, np.uint8), 2: np.full(9, NEITHER, np.uint8)}
    chances = np.full((9, len(session.scheme)), 0.1, np.float32)
    chances[:, 0] = 1 - chances[:, 1:].sum(axis=1)
    answers = {i: Predictions(chances, session.scheme.ids, part) for i, part in parts.items()}
    assert session.set_predictions(answers, session.snapshot().version)
    for image_id in (1, 2):
        for who, blind in (("Ada", False), ("Bob", True)):
            session.set_current(image_id)
            by(session, who, [0, 5, 6], 1, blind=blind)
    found = session.people_against_model()
    assert (found.cells, found.left_out, found.near) == (5, 1, 2)


def test_cells_that_were_not_to_be_found_blind_are_found_afterwards(ready):
    labels = ready.project.folder / "labels"
    before = sorted(labels.iterdir())
    ready.blind = True
    with pytest.raises(PeopleError, match="Blind labelling is on, so 'find cells' can't be done"):
        ready.set_labels(np.roll(grid(), 1, axis=2))
    assert sorted(labels.iterdir()) == before
    ready.blind = False
    ready.set_labels(np.roll(grid(), 1, axis=2))
    assert len(ready.cells()) == 9


@pytest.mark.parametrize("act", ["delete_cells", "merge_cells"])
def test_what_was_said_of_cells_that_are_gone_is_not_counted(ready, act):
    by(ready, "Ada", [0], 1)
    by(ready, "Bob", [0, 1, 5], 2, blind=True)
    getattr(ready, act)([0, 1])  # of merged cells the first stays
    left = {("Bob", 6): 2} if act == "delete_cells" else {("Bob", 1): 2, ("Bob", 6): 2}
    assert {key: one for key, one in said(ready).items() if key[0] == "Bob"} == left
    folder = ready.project.folder
    ready.annotator, ready.blind = "Bob", True
    for _ in range(2):
        assert ready.counts()[2] == len(left)
        assert ready.image_states()[0].labelled == len(left)
        ready.close()
        ready.open_project(folder)
    ready.annotator = "Ada"
    assert not ready.blind


def test_undo_of_deleting_cells_brings_back_what_was_said_of_them(ready):
    by(ready, "Bob", [0, 1], 2, blind=True)
    before = said(ready)
    ready.delete_cells([0, 1])
    assert said(ready) == {}
    ready.undo()
    assert said(ready) == before
    ready.annotator, ready.blind = "Bob", True
    assert ready.counts()[2] == 2
