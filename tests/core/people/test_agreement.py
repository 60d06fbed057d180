"""Agreement of persons: figures of libraries and of a paper, and what can't be measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.people.agreement import Agreement, agreement, in_words
from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.people.votes import majority, votes
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.scoring.intervals import Bootstrap


def answers(said: list[list[int]], kind: str = "nominal", images: list[int] | None = None) -> Answers:
    ids = np.array(said, dtype=np.int64)
    scheme = ClassScheme(kind=kind)
    for name in ("a", "b", "c"):
        scheme = scheme.add(name)
    image_id = np.array(images or [1] * len(ids), dtype=np.int64)
    cells = CellRefs(image_id, np.zeros(len(ids), dtype=np.int64), np.arange(1, len(ids) + 1))
    return Answers(cells, ("Ada", "Bob", "Cy")[: ids.shape[1]], ids, scheme)


def random_answers(persons: int = 2, count: int = 60, kind: str = "nominal") -> Answers:
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 4, count)
    said = [np.where(rng.random(count) < 0.7, truth, rng.integers(1, 4, count)) for _ in range(persons)]
    return answers(np.stack(said, axis=1).tolist(), kind, (np.arange(count) // 6).tolist())


@pytest.mark.parametrize(("kind", "weights"), [("nominal", None), ("ordered", "quadratic")])
def test_cohens_kappa_is_that_of_scikit_learn(kind, weights):
    some = random_answers(kind=kind)
    (pair,) = agreement(some).pairs

    assert pair.kappa == pytest.approx(cohen_kappa_score(*some.class_ids.T))
    assert pair.raw == pytest.approx((some.class_ids[:, 0] == some.class_ids[:, 1]).mean())
    assert pair.interval[0] < pair.kappa < pair.interval[1]
    if weights:
        assert pair.weighted == pytest.approx(cohen_kappa_score(*some.class_ids.T, weights=weights))
    else:
        assert pair.weighted is None


def test_fleiss_kappa_is_that_of_statsmodels_and_says_what_is_left_out():
    some = random_answers(3)
    some.class_ids[:5, 2] = 0

    found = agreement(some)

    table = aggregate_raters(some.class_ids[5:])[0]
    assert found.fleiss == pytest.approx(fleiss_kappa(table))
    assert (found.fleiss_cells, found.fleiss_raters, found.fleiss_left_out) == (55, 3, 5)
    assert "55 cells that 3 persons labelled; 5 others have fewer or more" in found.text
    assert [pair.n for pair in found.pairs] == [60, 55, 55]
    assert [name for name, _, _ in found.per_class] == ["a", "b", "c"]


def test_nothing_in_common_is_a_sentence():
    alone = agreement(answers([[1, 0], [0, 2]]))

    assert alone == Agreement()
    assert alone.text == "No cell was labelled by two persons, so there is no agreement to measure yet."


def test_one_class_only_has_no_kappa():
    found = agreement(answers([[1, 1], [1, 1]]))

    assert math.isnan(found.pairs[0].kappa)
    assert found.pairs[0].raw == 1
    assert "kappa says nothing" in found.text


def test_few_cells_that_all_agree_leave_doubt():
    (pair,) = agreement(answers([[1, 1], [2, 2], [3, 3]])).pairs

    assert pair.kappa == 1
    assert pair.interval[0] < 0.6


@pytest.mark.parametrize(
    ("kappa", "word"), [(-0.1, "poor"), (0.2, "slight"), (0.3, "fair"), (0.61, "substantial"), (1, "almost perfect")]
)
def test_kappas_have_words(kappa, word):
    assert in_words(kappa) == word


def test_a_majority_needs_more_votes_than_any_other_class():
    some = answers([[1, 1, 2], [1, 2, 3], [1, 2, 0], [3, 0, 0], [0, 0, 0]])

    assert votes(some)[0].tolist() == [2, 1, 0]
    assert majority(some).tolist() == [1, 0, 0, 3, 0]
    assert majority(some, min_share=0.7).tolist() == [0, 0, 0, 3, 0]
    assert majority(some, but=0).tolist() == [0, 0, 2, 0, 0]


def test_where_persons_differ():
    some = answers([[1, 1, 2], [2, 2, 2], [0, 2, 2], [0, 1, 2], [0, 0, 0]])

    assert some.differ.tolist() == [True, False, False, True, False]
    assert some.labels_of_each == (2, 4, 4)
    assert some.said_of(some.cells.take(slice(0, 2))) == [
        ("Ada", 1, 1),
        ("Ada", 2, 1),
        ("Bob", 1, 1),
        ("Bob", 2, 1),
        ("Cy", 2, 2),
    ]


@pytest.mark.parametrize(("images", "over"), [(1, ["cells"]), (9, ["cells", "images"]), (10, ["images"])])
def test_intervals_are_over_images_and_where_these_are_few_over_cells_too(images, over, monkeypatch):
    drawn = []

    class Noted(Bootstrap):
        def __init__(self, one, other, group, *rest):
            drawn.append("cells" if group is None else "images")
            super().__init__(one, other, group, *rest)

    monkeypatch.setattr("napari_cellstage.core.people.agreement.Bootstrap", Noted)
    said = np.random.default_rng(0).integers(1, 3, (100, 2)).tolist()
    agreement(answers(said, images=[1 + place % images for place in range(100)]))
    assert drawn == over
