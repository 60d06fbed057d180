from __future__ import annotations

import pytest

from napari_cellstage.core.review.pace import Pace


def test_labels_a_minute_without_the_pause():
    pace = Pace()
    for second in (0, 2, 4, 6, 8, 200, 202, 204):
        pace.note(second)

    assert pace.per_minute == pytest.approx(30)


def test_several_cells_at_once_count_each():
    pace = Pace()
    for second in range(0, 30, 5):
        pace.note(second, labels=2)

    assert pace.per_minute == pytest.approx(24)


def test_what_was_long_ago_does_not_count():
    pace = Pace()
    for second in range(20):
        pace.note(second)
    for second in range(1000, 1100, 10):
        pace.note(second)

    assert pace.per_minute == pytest.approx(6)


def test_of_a_few_labels_no_pace_is_told():
    pace = Pace()
    for second in range(4):
        pace.note(second)
    assert pace.per_minute is None

    pace.note(5)
    assert pace.per_minute is not None
    pace.forget()
    assert pace.per_minute is None


def test_labels_of_one_moment_give_no_pace():
    pace = Pace()
    for _ in range(9):
        pace.note(3.0)

    assert pace.per_minute is None
