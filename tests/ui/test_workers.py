"""Long work: no error is lost, a stop ends normally, progress does not flood, one job at a time."""

from __future__ import annotations

import threading
import time

import pytest
from qtpy.QtCore import QThread

from napari_cellstage.core.errors import CellStageError, TrainingError
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.ui.workers import Job, JobRunner, WorkError, guarded


def never() -> bool:
    return False


def drive(work, should_stop=never):
    """Return the events and the result of a work."""
    events, steps = [], guarded(work, should_stop)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def raising(error: Exception):
    def work(_should_stop):
        yield Note("begun")
        raise error

    return work


def until_stopped(should_stop):
    """Go on until asked to stop; end normally with what was reached."""
    for step in range(10**9):
        if should_stop():
            return f"best of {min(step, 1)}"
        time.sleep(0.002)
        yield BatchDone("working", 1, 10)
    return "never"


def test_events_and_result_pass():
    def work(_should_stop):
        yield Note("one")
        return 7

    assert drive(work) == ([Note("one")], 7)


def test_progress_comes_at_ten_a_second_at_most_and_notes_always():
    def work(_should_stop):
        for n in range(1000):
            yield BatchDone("batches", n, 1000)
        yield Note("kept")
        return None

    events, _ = drive(work)
    assert [type(e) for e in events] == [BatchDone, Note]


def test_runtime_error_leaves_as_another_kind_with_its_cause():
    error = RuntimeError("CUDA error: device-side assert")
    with pytest.raises(WorkError, match="RuntimeError: CUDA error") as caught:
        drive(raising(error))
    assert caught.value.__cause__ is error
    assert not isinstance(caught.value, RuntimeError)


def test_our_errors_leave_as_they_are():
    error = TrainingError("Only one class is labelled.")
    with pytest.raises(TrainingError) as caught:
        drive(raising(error))
    assert caught.value is error


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ValueError("shape"), CellStageError("told")])
def test_every_error_of_a_job_arrives_and_the_job_ends(qtbot, error):
    job, failed = Job("training", raising(error)), []
    job.failed.connect(failed.append)
    with qtbot.waitSignal(job.ended, timeout=20_000):
        job.start()
    qtbot.waitUntil(lambda: len(failed) == 1, timeout=20_000)
    assert str(error) in str(failed[0])


def test_work_is_done_beside_the_window_and_told_in_it(qtbot):
    seen = {}

    def work(_should_stop):
        seen["work"] = threading.current_thread()
        yield Note("hello")
        return "done"

    job = Job("training", work)
    job.progressed.connect(lambda _event: seen.update(told=QThread.currentThread()))
    with qtbot.waitSignal(job.returned, timeout=20_000) as returned:
        job.start()
    assert returned.args == ["done"]
    assert seen["work"] is not threading.main_thread()
    assert seen["told"] is job.thread()


def test_stop_ends_with_the_best_so_far(qtbot):
    job = Job("training", until_stopped)
    with qtbot.waitSignal(job.progressed, timeout=20_000):
        job.start()
    with qtbot.waitSignal(job.returned, timeout=20_000) as returned:
        job.stop()
    assert returned.args == ["best of 1"]
    assert job.stopping


def test_napari_asking_to_quit_is_a_stop_too(qtbot):
    job = Job("training", until_stopped)
    with qtbot.waitSignal(job.progressed, timeout=20_000):
        job.start()
    with qtbot.waitSignal(job.returned, timeout=20_000) as returned:
        job._worker.quit()
    assert returned.args == ["best of 1"]


def test_runner_has_one_job_at_a_time(qtbot):
    runner = JobRunner()
    first = Job("finding cells", until_stopped)
    runner.start(first)
    assert runner.busy
    with pytest.raises(CellStageError, match="Finding cells is still going on"):
        runner.start(Job("training", until_stopped))
    with qtbot.waitSignal(runner.ended, timeout=20_000):
        runner.stop()
    assert not runner.busy


def test_closing_waits_for_the_job_and_keeps_its_result(qtbot):
    runner, job = JobRunner(), Job("training", until_stopped)
    with qtbot.waitSignal(job.progressed, timeout=20_000):
        runner.start(job)
    assert runner.close() is job
    assert job.result == "best of 1"
    assert runner.close() is None
