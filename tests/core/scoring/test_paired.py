"""Two answers to the same cells compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.paired import compare, flipped_p, mcnemar_p


def example(won: int, lost: int, both: int = 20, neither: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.zeros(won + lost + both + neither, dtype=int)
    a = np.repeat([1, 0, 0, 1], [won, lost, both, neither])
    b = np.repeat([0, 1, 0, 1], [won, lost, both, neither])
    return truth, a, b


def test_cells_are_won_lost_right_and_wrong():
    found = compare(*example(6, 2))
    counts = [int(m.sum()) for m in (found.won, found.lost, found.both_right, found.both_wrong)]
    assert counts == [6, 2, 20, 5]
    assert found.difference == pytest.approx(found.accuracy_b - found.accuracy_a) == pytest.approx(4 / 33)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.text.startswith("+0.121 (")
    assert "6 won, 2 lost of 33 cells, p = 0.289" in found.text


@pytest.mark.parametrize(("won", "lost"), [(6, 2), (0, 9), (400, 300), (1, 0)])
def test_p_is_that_of_an_even_coin(won, lost):
    assert mcnemar_p(won, lost) == pytest.approx(binomtest(won, won + lost).pvalue)
    assert mcnemar_p(lost, won) == pytest.approx(mcnemar_p(won, lost))


def test_equal_answers_differ_by_chance_at_most():
    truth, a, _ = example(3, 4)
    found = compare(truth, a, a, groups=np.arange(len(a)) % 3)
    assert (found.p, found.p_groups, found.difference, found.interval) == (1, 1, 0, (0, 0))


def test_one_movie_that_was_won_is_no_proof():
    truth, a, b = example(20, 0, both=100, neither=0)
    groups = np.where(np.arange(120) < 20, "movie 0", np.char.add("movie ", (np.arange(120) % 5 + 1).astype(str)))
    found = compare(truth, a, b, groups=groups)
    assert found.p < 0.001
    assert found.p_groups == 1
    assert found.interval[0] <= 0
    assert found.groups == 6


def test_all_flips_of_few_groups_by_hand():
    assert flipped_p(np.array([3.0, 2.0, 1.0])) == 2 / 8  # only +++ and --- reach 6
    assert flipped_p(np.array([3.0, -1.0, 0.0])) == 1
    many = np.ones(30)
    assert flipped_p(many) < 0.001
    assert flipped_p(many, 1) == flipped_p(many, 1)


def test_no_cells_in_common_are_said_plainly():
    none = np.zeros(0, int)
    with pytest.raises(TrainingError, match=r"There are 0 cells that both have answered\. Compare runs"):
        compare(none, none, none)
