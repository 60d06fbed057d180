"""Progress in words: how far, how long still, and Stop."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.job_bar import JobBar, clock, time_left
from napari_cellstage.ui.workers import Job, JobRunner


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (21, "0:21"), (65, "1:05"), (3599.6, "1:00:00"), (7322, "2:02:02")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_time_left_is_in_proportion():
    assert time_left(25, 100, 10.0) == " · 0:30 left"


@pytest.mark.parametrize(("done", "total", "elapsed"), [(0, 100, 5.0), (100, 100, 5.0), (1, 100, 5.0), (50, 100, 0.1)])
def test_no_guess_before_it_is_worth_showing(done, total, elapsed):
    assert time_left(done, total, elapsed) == ""


def test_bar_shows_a_job_and_stops_it(qtbot):
    def work(should_stop):
        while not should_stop():
            yield BatchDone("epoch 1/3", 1, 4)

    runner = JobRunner()
    bar = JobBar(runner)
    qtbot.addWidget(bar)
    assert bar.isHidden()
    runner.start(Job("training", work))
    assert not bar.isHidden()
    qtbot.waitUntil(lambda: bar.text.text().startswith("Epoch 1/3"), timeout=20_000)
    assert bar.bar.value() * 4 == bar.bar.maximum()
    with qtbot.waitSignal(runner.ended, timeout=20_000):
        bar.stop.click()
    assert bar.isHidden()


def test_names_of_images_are_written_as_they_are(qtbot):
    runner = JobRunner()
    bar = JobBar(runner)
    qtbot.addWidget(bar)

    def work(should_stop):
        while not should_stop():
            yield BatchDone("predicting Well_A3 DAPI.tif", 1, 4)

    runner.start(Job("predicting stains", work))
    qtbot.waitUntil(lambda: bar.text.text().startswith("Predicting Well_A3 DAPI.tif"), timeout=20_000)
    with qtbot.waitSignal(runner.ended, timeout=20_000):
        bar.stop.click()
