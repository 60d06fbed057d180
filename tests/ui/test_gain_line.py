from __future__ import annotations

import time

import numpy as np
import pytest

from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.scoring.gain import Gain
from napari_cellstage.session import Session
from napari_cellstage.ui import gain_line
from napari_cellstage.ui.gain_line import ASK, GainLine
from napari_cellstage.ui.workers import Job, JobRunner


@pytest.fixture
def runner(qtbot) -> JobRunner:
    made = JobRunner()
    yield made
    made.close()


@pytest.fixture
def line(qtbot, session: Session, runner: JobRunner) -> GainLine:
    made = GainLine(session, runner)
    qtbot.addWidget(made)
    return made


def done(_should_stop):
    """Do the work at once."""
    yield from ()
    return Gain(0.86, 0.8, 0.021, 0.01, 0.034)


def label(session: Session) -> None:
    first, second = session.scheme.ids[:2]
    session.label_cells([0, 1, 2], first)
    session.label_cells([3, 4, 5], second)


def test_it_is_there_when_there_is_something_to_train_on(line: GainLine, session: Session):
    assert line.isHidden()
    label(session)
    assert not line.isHidden()
    assert line.line.text() == ASK

    session.annotator = "Ada"
    session.blind = True
    assert line.isHidden()


def test_too_few_labels_are_told_in_place(qtbot, line: GainLine, session: Session, runner: JobRunner):
    label(session)
    line.estimate.click()
    qtbot.waitUntil(lambda: not runner.busy, timeout=60_000)
    assert line.line.text() == "6 labels are too few to tell what more would bring. Label 24 more first."


def test_the_answer_is_shown(qtbot, line: GainLine, session: Session, runner: JobRunner, monkeypatch):
    monkeypatch.setattr(gain_line, "estimating", lambda *_what: done)
    label(session)
    line.estimate.click()
    assert not line.estimate.isEnabled()
    qtbot.waitUntil(lambda: not runner.busy, timeout=60_000)

    assert line.line.text().startswith("About +0.02 (+0.01 to +0.03) from 100 more labels")
    assert line.estimate.isEnabled()
    session.add_class("another")
    assert line.line.text() == ASK


def test_real_labels_of_a_project(qtbot, line: GainLine, session: Session, runner: JobRunner, monkeypatch):
    from napari_cellstage.learn import learning_curve

    monkeypatch.setattr(learning_curve, "FEWEST", 6)
    first, second = session.scheme.ids[:2]
    session.label_cells(np.arange(6), first)
    session.label_cells(np.arange(6, 12), second)
    line.estimate.click()
    qtbot.waitUntil(lambda: not runner.busy, timeout=60_000)
    assert "now 0." in line.line.text() or "now 1." in line.line.text()


def train(session: Session, runner: JobRunner) -> Job:
    """Run a job that leaves predictions, as a training does."""
    count = len(session.cells())
    chances = np.tile(np.array([[0.6, 0.4]], dtype=np.float32), (count, 1))
    answer = Predictions(chances, session.scheme.ids[:2], np.zeros(count, np.uint8), "run")
    version = session.snapshot().version

    def work(_should_stop):
        yield from ()
        return answer

    job = Job("training", work)
    job.returned.connect(lambda found: session.set_predictions({session.current_id: found}, version))
    runner.start(job)
    return job


def test_after_a_training_it_is_estimated_of_itself(qtbot, line: GainLine, session: Session, runner, monkeypatch):
    monkeypatch.setattr(gain_line, "estimating", lambda *_what: done)
    label(session)
    line.show()
    train(session, runner)
    qtbot.waitUntil(lambda: line.line.text().startswith("About +0.02"), timeout=60_000)
    qtbot.waitUntil(lambda: line._beside is None, timeout=60_000)
    assert not runner.busy


def test_many_labels_are_estimated_only_when_asked_for(qtbot, line: GainLine, session: Session, runner, monkeypatch):
    monkeypatch.setattr(gain_line, "CHEAP", 5)
    label(session)
    line.show()
    train(session, runner)
    qtbot.waitUntil(lambda: not runner.busy, timeout=60_000)
    assert line._beside is None
    assert line.line.text() == ASK


def test_it_gives_way_to_the_next_job(qtbot, line: GainLine, session: Session, runner, monkeypatch):
    def waits(should_stop):
        while not should_stop():
            time.sleep(0.005)
            yield
        return None

    monkeypatch.setattr(gain_line, "estimating", lambda *_what: waits)
    label(session)
    line.show()
    train(session, runner)
    qtbot.waitUntil(lambda: line._beside is not None, timeout=60_000)
    train(session, runner)
    qtbot.waitUntil(lambda: line._beside is None or line._beside.stopping, timeout=60_000)
    line.close_link()
    qtbot.waitUntil(lambda: not runner.busy, timeout=60_000)
    line.close_link()
    assert line.line.text() == ASK
