"""The real work behind the page: a tiny network trained, scored, kept, applied."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.session import Session
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.stain.apply_work import Stained, applying, opening
from napari_cellstage.ui.stain.learn_work import Learned, Measured, learning, measuring
from napari_cellstage.ui.stain.sources import ProjectSource, Wanted

TINY = StainRecipe(epochs=2, patch=16, patches=8, batch_size=4, filters=4, levels=2, views=1)
WANTED = Wanted(("phase",), ("DNA",))


def never() -> bool:
    return False


def drive(work: Generator[Any, None, Any]) -> tuple[list[Any], Any]:
    """Return what a piece of work yields, and its result."""
    seen = []
    while True:
        try:
            seen.append(next(work))
        except StopIteration as end:
            return seen, end.value


def of(session: Session, *image_ids: int) -> ProjectSource:
    return ProjectSource(WANTED, session.stain_snapshot(image_ids))


@pytest.fixture
def learned(session: Session) -> tuple[list[Any], Learned]:
    """A tiny training of the session."""
    events, answer = drive(learning(of(session, 1, 2), TINY, session.project.runs)(never))
    session.note_stain_run()
    return events, answer


def test_a_training_ends_with_a_run_that_the_session_knows(
    session: Session, learned: tuple[list[Any], Learned]
) -> None:
    events, answer = learned
    epochs = [one for one in events if isinstance(one, StainEpoch)]
    assert [one.epoch for one in epochs] == [1, 2]
    assert epochs[-1].picture is not None
    assert any(isinstance(one, Note) and "held out" in one.text for one in events)
    (run,) = session.stain_runs()
    assert (run.name, run.inputs, run.stains) == (answer.run, ("phase",), ("DNA",))
    assert answer.scores is not None
    assert run.pearson["DNA"] == pytest.approx(answer.scores.stains[0].pearson)
    assert {one.name for one in run.folder.iterdir()} >= {"card.json", "history.csv", "scores.json", "held-out.png"}


def test_it_is_applied_and_every_image_gets_its_channel(session: Session, learned: tuple[list[Any], Learned]) -> None:
    snapshot = session.stain_snapshot()
    run = session.stain_runs()[0]
    events, _ = drive(applying(snapshot, [run.folder])(never))
    stained = [one for one in events if isinstance(one, Stained)]
    assert [one.image_id for one in stained] == [1, 2, 3]
    for one in stained:
        session.add_stains(one.image_id, one.kept, run.name, version=snapshot.version)
    assert session.channel_names == ("phase", "DNA (predicted)")
    assert session.current.plane(0, 0, (1,)).shape == (1, 32, 32)
    done = [one.done / one.total for one in events if isinstance(one, BatchDone) and one.total]
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_an_image_that_does_not_fit_keeps_no_other_from_its_stain(
    session: Session, learned: tuple[list[Any], Learned], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.ui.stain.scene import image

    session.add_image(image("no light", ("GFP", "RFP")))
    run = session.stain_runs()[0]
    events, _ = drive(applying(session.stain_snapshot((4, 3)), [run.folder])(never))
    bad, good = (one for one in events if isinstance(one, Stained))
    assert bad.kept is None
    assert "phase" in bad.problem
    assert good.kept is not None


def test_a_stop_keeps_what_is_whole(session: Session, learned: tuple[list[Any], Learned]) -> None:
    run = session.stain_runs()[0]
    seen: list[Any] = []
    work = applying(session.stain_snapshot(), [run.folder])(lambda: any(isinstance(one, Stained) for one in seen))
    for one in work:
        seen.append(one)  # noqa: PERF402 - it is looked at meanwhile
    assert [one.image_id for one in seen if isinstance(one, Stained)] == [1]


def test_a_second_stain_is_added_by_transfer(session: Session, learned: tuple[list[Any], Learned]) -> None:
    from tests.ui.stain.scene import image

    for name in ("more 1", "more 2"):
        session.add_image(image(name, ("phase", "tubulin")))
    source = ProjectSource(Wanted(("phase",), ("tubulin",)), session.stain_snapshot((4, 5)))
    _, answer = drive(learning(source, TINY, session.project.runs, session.stain_runs()[0].folder)(never))
    assert set(answer.stains) == {"DNA", "tubulin"}


def test_a_stop_before_any_step_is_no_error(session: Session) -> None:
    events, answer = drive(learning(of(session, 1, 2), TINY, session.project.runs)(lambda: True))
    assert answer is None
    assert isinstance(events[-1], Note)
    assert not list(session.project.runs.glob("*"))


def test_images_whose_files_are_gone_are_left_out_and_named(session: Session) -> None:
    snapshot = session.stain_snapshot((1, 2))
    gone = type(snapshot.images[0])(1, "stained 1", ("phase", "DNA"), "a", lambda: None)
    source = ProjectSource(WANTED, type(snapshot)((gone, *snapshot.images[1:]), 1, snapshot.runs, snapshot.cache))
    data = source.pairs(never)
    assert len(data) == 1
    assert "'stained 1' is left out: its file can't be opened." in data.notes
    with pytest.raises(CellStageError, match="None of the chosen images"):
        ProjectSource(WANTED, type(snapshot)((gone,), 1, snapshot.runs, snapshot.cache)).pairs(never)


def test_shifts_of_pairs_are_measured(session: Session, tmp_path: Path) -> None:
    events, _ = drive(measuring(of(session, 1, 2))(never))
    assert [one.name for one in events if isinstance(one, Measured)] == ["stained 1", "stained 2"]
    stopped, _ = drive(measuring(of(session, 1, 2))(lambda: True))
    assert not any(isinstance(one, Measured) for one in stopped)


def test_a_file_that_can_not_be_opened_keeps_no_other_from_it(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("first.png", "cut.tif", "last.png")]
    for file in (files[0], files[2]):
        Image.fromarray(np.zeros((8, 9), np.uint8)).save(file)
    files[1].write_bytes(b"II*")
    events, opened = drive(opening(files, {})(never))
    assert [stack.name for stack in opened.stacks] == ["first.png", "last.png"]
    (why,) = opened.failed
    assert "cut.tif" in why
    assert {one.total for one in events} == {3}


def test_nothing_is_opened_where_it_was_stopped(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / "only.png")
    _, opened = drive(opening([tmp_path / "only.png"], {})(lambda: True))
    assert not opened.stacks


def test_after_a_stop_no_further_model_is_begun(session: Session, learned: tuple[list[Any], Learned]) -> None:
    run = session.project.runs / learned[1].run
    opened: list[str] = []
    snapshot = session.stain_snapshot((1,))
    image = replace(snapshot.images[0], opened=lambda: opened.append("") or snapshot.images[0].opened())
    drive(applying(replace(snapshot, images=(image,)), [run, run])(lambda: bool(opened)))
    assert len(opened) == 1
