"""Experts against a network on the same cells: figures worked out again another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel

from napari_cellstage.core.experts.comparing import compare_experts
from tests.core.people.test_agreement import answers


@pytest.fixture
def scene():
    """Three experts who are right on about 0.6 of 60 cells of two classes, and a network that is on 0.8."""
    rng = np.random.default_rng(3)
    truth = np.arange(60) % 2 + 1
    said = np.where(rng.random((60, 3)) < 0.6, truth[:, None], 3 - truth[:, None])
    network = np.where(rng.random(60) < 0.8, truth, 3 - truth)
    return truth, said, network


def test_average_best_vote_and_tests(scene):
    truth, said, network = scene
    found = compare_experts(answers(said.tolist()), truth, network)
    right = said == truth[:, None]
    of = found.compared.of
    assert of("average").accuracy == pytest.approx(right.mean())
    assert of("best").accuracy == pytest.approx(right.mean(axis=0).max())
    vote = np.where((said == 1).sum(axis=1) > 1, 1, 2)
    assert of("vote").accuracy == pytest.approx((vote == truth).mean())
    assert of("model").accuracy == pytest.approx((network == truth).mean())
    assert of("vote").confusion[:2, :2].tolist() == [
        [int(((truth == a) & (vote == b)).sum()) for b in (1, 2)] for a in (1, 2)
    ]
    expected = ttest_rel((network == truth).astype(float), right.mean(axis=1))
    assert found.t_test.p == pytest.approx(expected.pvalue)
    assert found.t_test.statistic == pytest.approx(expected.statistic)
    assert found.t_test.n == 60
    won = int(((network == truth) & (vote != truth)).sum())
    lost = int(((network != truth) & (vote == truth)).sum())
    assert found.vote_test.p == pytest.approx(binomtest(won, won + lost).pvalue)
    text = " ".join(found.sentences)
    assert "best by luck" in text
    assert "the share of experts who were right against whether the network was" in text
    assert f"the network alone is right on {won}" in text


def test_all_are_measured_on_the_cells_that_the_network_answered(scene):
    truth, said, network = scene
    some = np.where(np.arange(60) < 20, 0, network)
    part = compare_experts(answers(said.tolist()), truth, some)
    alone = compare_experts(answers(said[20:].tolist()), truth[20:], network[20:])
    for one, other in zip(part.compared.standings, alone.compared.standings, strict=True):
        assert (one.name, one.accuracy, one.n) == (other.name, other.accuracy, other.n)
    assert part.t_test == alone.t_test


def test_ties_are_said_and_left_out_of_the_vote():
    found = compare_experts(answers([[1, 2], [1, 1], [2, 2]]), np.array([1, 1, 2]), np.array([1, 2, 2]))
    assert found.ties == 1
    assert found.compared.of("vote").n == 2
    assert found.vote_test.n == 2
    text = " ".join(found.sentences)
    assert "1 cell without a majority" in text
    assert "Counted as wrong they make its accuracy 0.67." in text


def test_the_t_test_is_on_cells_that_all_experts_answered():
    said = answers([[1, 1], [1, 0], [2, 1], [2, 2]])
    found = compare_experts(said, np.array([1, 1, 2, 1]), np.array([1, 1, 1, 1]))
    assert found.t_test.n == 3


def test_without_differences_there_is_no_t_test_and_it_says_so():
    found = compare_experts(answers([[1, 1], [2, 2]]), np.array([1, 2]), np.array([1, 2]))
    assert found.t_test.p != found.t_test.p
    assert "every cell has the same difference" in found.t_test.text
    assert found.vote_test.p == 1


def test_one_expert_has_no_average_nor_best_and_no_vote_test(scene):
    truth, said, network = scene
    found = compare_experts(answers(said[:, :1].tolist()), truth, network)
    assert found.compared.of("average") is None
    assert found.compared.of("best") is None
    assert found.vote_test is None
    assert found.compared.standings[0].paired is not None


def test_without_a_network_there_are_no_tests(scene):
    truth, said, _ = scene
    found = compare_experts(answers(said.tolist()), truth)
    assert found.t_test is None
    assert found.compared.of("vote").n == 60
