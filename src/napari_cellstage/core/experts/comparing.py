"""Experts and a network on the same cells, whose class is known: everyone's accuracy, the vote, and paired tests.

As in Shpilman et al., where three experts and networks labelled the same blind test crops: average of the experts, the
best one, their majority vote, confusion matrices of vote and network, a t-test. `PairedTest.text` says what it pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.people.against_model import PeopleAgainstModel, Standing, people_against_model
from napari_cellstage.core.people.answers import Answers, Numbers
from napari_cellstage.core.people.votes import majority
from napari_cellstage.core.scoring.paired import Paired, compare
from napari_cellstage.core.scoring.words import cells_words

BEST_CAUTION = (
    "The best of several is best by luck, too: on other cells the same person would likely do worse. "
    "The average is not flattered so."
)


@dataclass(frozen=True)
class PairedTest:
    """A paired t-test of the experts against the network, cell by cell.

    Parameters
    ----------
    n
        Cells that all experts and the network answered.
    experts, network
        Mean share of experts who were right, and of cells that the network has right.
    statistic, p
        Of the two-sided test; NaN where all differences are equal, so that there is nothing to test by.
    """

    n: int
    experts: float
    network: float
    statistic: float
    p: float

    @property
    def text(self) -> str:
        """What is paired, and what came out."""
        if self.n < 2:
            return "No t-test: it takes two cells or more that all experts and the network answered."
        means = f"experts {self.experts:.3f}, network {self.network:.3f}"
        if self.p != self.p:
            return f"No t-test on {cells_words(self.n)} ({means}): every cell has the same difference."
        return (
            f"Paired t-test on {cells_words(self.n)}, for each the share of experts who were right against whether the "
            f"network was: {means}, t = {self.statistic:.2f}, {chance(self.p)}."
        )


@dataclass(frozen=True, eq=False)
class Experts:
    """Everyone on the same cells.

    Parameters
    ----------
    compared
        Standings of each expert, their average, the best, the vote, the network.
    ties
        Cells without a majority; the vote leaves them out.
    t_test
        As published; None without a network.
    vote_test
        McNemar's exact test of vote and network, on cells with a majority; None without a network or vote.
    """

    compared: PeopleAgainstModel
    ties: int = 0
    t_test: PairedTest | None = None
    vote_test: Paired | None = None

    @property
    def with_ties(self) -> float:
        """Accuracy of the vote with ties counted as wrong: cells without a majority are the hard ones."""
        vote = self.compared.of("vote")
        return float("nan") if vote is None else vote.accuracy * vote.n / (vote.n + self.ties)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to know of the figures."""
        found = []
        several = self.compared.of("best") is not None
        if several:
            found.append(BEST_CAUTION)
        vote = self.compared.of("vote")
        if self.ties and vote is not None:
            found.append(
                f"{cells_words(self.ties)} without a majority, as classes have equally many votes: not in the vote. "
                f"Counted as wrong they make its accuracy {self.with_ties:.2f}."
            )
        if self.t_test is not None:
            found.append(self.t_test.text)
        if self.vote_test is not None:
            won, lost = int(self.vote_test.won.sum()), int(self.vote_test.lost.sum())
            found.append(
                f"McNemar's exact test, vote against network on {cells_words(self.vote_test.n)}: the network alone is "
                f"right on {won:,}, the vote alone on {lost:,}, {chance(self.vote_test.p)}."
            )
        if self.t_test is not None:
            found.append(
                "McNemar fits answers that are right or wrong better than the t-test, which is given as it was "
                "published. Both take cells as independent."
            )
        return tuple(found)


def compare_experts(
    answers: Answers,
    truth: Numbers,
    network: Numbers | None = None,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> Experts:
    """Compare experts and a network on cells whose class is known.

    Parameters
    ----------
    answers
        What each expert said of ``N`` cells.
    truth
        ``(N,)`` class ids, 0 where not known: such a cell is left out.
    network
        ``(N,)`` class ids that a network gives cells it was not trained on, 0 elsewhere: such a cell is left out, so
        that all are measured on the same cells. None without a network.
    groups
        ``(N,)``; image, well or movie of each cell, for intervals; None: cells are independent.
    seed
        Same seed, same intervals.
    """
    groups = np.zeros(len(answers), dtype=np.str_) if groups is None else groups
    used = (truth != UNLABELLED) & (answers.raters > 0)
    some, known = answers.take(used), truth[used]
    said = None if network is None else network[used]
    compared = people_against_model(some, known, said, groups[used], seed)
    if said is not None and said.any():
        some, known, said = some.take(said != UNLABELLED), known[said != UNLABELLED], said[said != UNLABELLED]
    voted = majority(some)
    ties = int(((voted == UNLABELLED) & (some.raters > 1)).sum())
    if said is None or not len(said) or not said.any():
        return Experts(compared, ties)
    clear = voted != UNLABELLED
    several = compared.of("vote") is not None and len(some.names) > 1
    test = compare(known[clear], voted[clear], said[clear], seed=seed) if several and clear.any() else None
    return Experts(compared, ties, _t_test(some, known, said), test)


def people_with_tests(
    answers: Answers,
    known: Numbers,
    model: Numbers | None = None,
    groups: NDArray[np.str_] | None = None,
    near: NDArray[np.bool_] | None = None,
) -> PeopleAgainstModel:
    """Do `people_against_model` with the tests of `compare_experts` where two persons answered known cells."""
    found = people_against_model(answers, known, model, groups, near=near)
    if found.of("best") is None or found.of("vote") is None:
        return found
    return replace(found, tests=compare_experts(answers, known, model).sentences)


def chance(p: float) -> str:
    """Return a p value as it is written."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def shares(standing: Standing) -> tuple[float, float, float, int]:
    """Return accuracy, its interval (NaN for the average) and number of cells of one of them."""
    low, high = standing.interval or (float("nan"),) * 2
    return standing.accuracy, low, high, standing.n


def _t_test(answers: Answers, truth: Numbers, network: Numbers) -> PairedTest:
    whole = (answers.class_ids != UNLABELLED).all(axis=1)
    right = (answers.class_ids[whole] == truth[whole][:, None]).mean(axis=1)
    by_network = (network[whole] == truth[whole]).astype(np.float64)
    count = int(whole.sum())
    nan = float("nan")
    if count < 2:
        return PairedTest(count, nan, nan, nan, nan)
    means = float(right.mean()), float(by_network.mean())
    if np.ptp(right - by_network) < 1e-12:
        return PairedTest(count, *means, nan, nan)
    from scipy.stats import ttest_rel  # slow to load

    found = ttest_rel(by_network, right)
    return PairedTest(count, *means, float(found.statistic), float(found.pvalue))
