"""At every moment the screen says what to do next."""

from __future__ import annotations

from dataclasses import replace

from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import CELLS, DATA, LABEL, REVIEW, TRAIN, made_text, next_step, state_line
from tests.session.runs_scene import make_run


def test_an_empty_session_asks_for_an_image(tmp_path):
    step = next_step(Session(tmp_path))
    assert step.step == DATA
    assert "sample" in step.text
    assert state_line(Session(tmp_path)) == "No image yet"


def test_an_image_asks_for_cells(make_session):
    session = make_session(cells=False)
    assert next_step(session).step == CELLS
    assert state_line(session) == "0 cells · 0 labelled"


def test_cells_ask_for_labels_of_two_classes(session):
    assert next_step(session).step == LABEL
    session.label_cells([0], 1)
    assert "at least two classes" in next_step(session).text
    assert state_line(session) == "12 cells · 1 labelled"


def test_two_classes_can_be_trained_and_the_rarest_is_named(session):
    session.label_cells([0, 1], 1)
    session.label_cells([2], 3)
    step = next_step(session)
    assert step.step == TRAIN
    assert "'prometaphase' (1 so far)" in step.text


def test_enough_labels_say_train(make_session):
    session = make_session((1, 1, 100, 100))
    session.label_cells(range(10), 1)
    session.label_cells(range(10, 20), 2)
    assert next_step(session).text == "Press Train."


def test_predictions_ask_for_corrections(session, predict):
    session.label_cells([0, 1], 1)
    session.label_cells([2], 2)
    predict(session)
    assert "correct" in next_step(session).text
    assert next_step(session).step == REVIEW
    assert state_line(session) == "12 cells · 3 labelled · model of this session"


def predicted_by_a_run(session, predict, made="2026-11-01T12:00:00+00:00"):
    answer = replace(predict(session), run="a")
    assert session.set_predictions({session.current_id: answer}, session.snapshot().version)
    make_run(session, "a", made=made)


def test_the_model_is_named_by_the_moment_of_its_card_as_in_the_review(session, predict):
    session.label_cells([0, 1], 1)
    session.label_cells([2], 2)
    predicted_by_a_run(session, predict, "2026-01-02T12:00:00+00:00")
    assert state_line(session).endswith(f"model of {made_text('2026-01-02T12:00:00+00:00')}")


def test_many_new_labels_ask_for_training_again(make_session, predict):
    session = make_session((1, 1, 100, 100))
    session.label_cells([0, 1, 2], 1)
    session.label_cells([3, 4], 2)
    predicted_by_a_run(session, predict)
    session.label_cells(range(5, 14), 3)
    assert next_step(session).step == REVIEW
    session.label_cells([0], 2)
    assert next_step(session).step == TRAIN
    assert next_step(session).text == "10 labels have changed since this model: train again."


def test_labels_taken_away_or_corrected_count_as_new_ones(make_session, predict):
    session = make_session((1, 1, 100, 100))
    session.label_cells(range(12), 1)
    session.label_cells([12, 13], 2)
    predicted_by_a_run(session, predict)
    session.label_cells(range(10), 2)
    assert next_step(session).step == TRAIN
    session.undo()
    assert next_step(session).step == REVIEW


def test_a_moment_is_told_as_the_clock_here_shows_it():
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    assert made_text(now.isoformat()) == now.astimezone().strftime("%H:%M")
    before = now - timedelta(days=3)
    assert made_text(before.isoformat()) == before.astimezone().strftime("%d %b %H:%M")
    assert made_text("") == "unknown time"


def test_a_missing_file_is_asked_for(tmp_path):
    import numpy as np
    import tifffile

    from napari_cellstage.core.images import open_image

    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.ones((20, 20), np.uint8))
    session = Session(tmp_path)
    session.add_image(open_image(file))
    folder = session.project.folder
    session.close()
    file.unlink()
    session.open_project(folder)
    assert "not where it was" in next_step(session).text
    session.close()


def test_read_only_is_said(session, tmp_path):
    second = Session(tmp_path / "other")
    second.open_project(session.project.folder)
    assert second.read_only
    assert "read-only" in next_step(second).text
    assert state_line(second).endswith("read-only")
    second.close()
