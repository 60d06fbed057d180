"""The time that is told before training."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui.estimate import Speed, Work, expected_seconds, expected_text

FINETUNE = Recipe.load("finetune").but(epochs=10)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4, "a few seconds"),
        (38, "about 40 s"),
        (170, "about 3 min"),
        (3590, "about 1 h"),
        (7320, "about 2 h"),
        (9673, "about 2 h 40 min"),
        (50_000, "about 14 h"),
    ],
)
def test_text(seconds, text):
    assert expected_text(seconds) == text


def test_more_epochs_and_larger_crops_take_longer():
    work, speed = Work(labelled=200, cells=600), Speed()
    plain = expected_seconds((FINETUNE,), work, speed)
    assert expected_seconds((FINETUNE.but(epochs=20),), work, speed) > plain
    assert expected_seconds((FINETUNE.but(crop_size=128),), work, speed) > 3 * plain


def test_measured_speed_counts():
    work = Work(labelled=1000, cells=10)
    slow = expected_seconds((FINETUNE,), work, Speed(trained_per_second=10))
    fast = expected_seconds((FINETUNE,), work, Speed(trained_per_second=1000))
    assert slow > 20 * fast


def test_recipes_add_up():
    work, speed, quick = Work(50, 500), Speed(), Recipe.load("quick")
    both = expected_seconds((quick, FINETUNE), work, speed)
    assert both == pytest.approx(expected_seconds((quick,), work, speed) + expected_seconds((FINETUNE,), work, speed))


def test_automatic_epochs_are_counted():
    work, speed = Work(200, 200), Speed()
    assert expected_seconds((FINETUNE.but(epochs=0),), work, speed) > expected_seconds((FINETUNE,), work, speed)


def test_cross_validation_trains_as_often_again():
    work, speed = Work(labelled=2000, cells=10), Speed()
    plain = expected_seconds((FINETUNE,), work, speed)
    assert expected_seconds((FINETUNE.but(folds=5),), work, speed) == pytest.approx(6 * plain, rel=0.05)
