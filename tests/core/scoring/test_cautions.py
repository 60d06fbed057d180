"""What to know before a score is believed."""

from __future__ import annotations

import numpy as np

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.cautions import cautions, group_noun
from napari_cellstage.core.scoring.scores import score, score_unseen

BOTH = np.array([3, 4])


def test_one_image_on_both_sides_is_said_whatever_else_is_known():
    said = cautions(BOTH, "ab", ["image 4"], True)
    assert said == (
        "All labelled cells are in one image, so cells of it are on both sides of the split: on another image the "
        "score will likely be lower. Label cells in a second image.",
    )
    assert "All labelled cells are in one movie, so" in cautions(BOTH, "ab", ["movie 4"], True)[0]


def test_groups_that_are_few_one_or_tracks_are_said():
    assert cautions(BOTH, "ab", [f"well {i}" for i in range(12)], False) == ()
    assert cautions(BOTH, "ab", [], False) == ()
    few = cautions(BOTH, "ab", ["donor a", "donor b", "donor c"], False)
    assert few == ("The cells scored are in 3 donors: the interval is a rough one. More donors make it firm.",)
    two = cautions(BOTH, "ab", ["donor a", "donor b"], False)
    assert two == (
        "The cells scored are in 2 donors, which tell little of how donors differ: the interval is likely too narrow. "
        "Label cells in a third donor and more.",
    )
    one = cautions(BOTH, "ab", ["plate P1"], False)
    assert one == ("All cells scored are in one plate: the interval does not tell how much plates differ.",)
    tracks = cautions(BOTH, "ab", [f"track {i}" for i in range(40)], False)[0]
    assert tracks.startswith("All labelled cells are in one movie; a cell that was followed")


def test_classes_without_cells_are_named():
    assert cautions(np.array([3, 0]), ["G1", "<b>S"], [], False) == (
        "Class '<b>S' has no cell among those scored: how well it is told is not known. Label more of it.",
    )
    many = cautions(np.zeros(200, int), [f"c{i}" for i in range(200)], [], False)[0]
    assert many.startswith("Classes 'c0', 'c1', 'c2', 'c3', 'c4' and 195 more have no cell")


def test_classes_that_no_model_had_seen_are_named():
    truth = np.repeat([0, 1, 2], 4)
    said = np.tile(np.array([[0.6, 0.0, 0.4]], dtype=np.float32), (12, 1))
    groups = np.array([f"image {place % 4 if label != 1 else 9}" for place, label in enumerate(truth)])
    found = score(truth, said.argmax(axis=1), ("a", "b", "c"), groups=groups, probabilities=said)
    assert found.warnings[-1] == (
        "Class 'b': no model had seen it when it was asked for its cells, as they were all kept out at once, so each "
        "counts as wrong. Label some in other images."
    )
    known = np.where(said == 0, np.float32(1e-6), said)
    assert "no model" not in " ".join(score(truth, truth, ("a", "b", "c"), groups=groups, probabilities=known).warnings)


def test_words_for_groups():
    assert group_noun(["well P1 A01", "well P1 A02"]) == "wells"
    assert group_noun(["movie 1", "image 2"]) == group_noun(["0013", "0014"]) == group_noun([]) == "groups"
    assert group_noun(["plate P"], several=False) == "plate"


def test_pictures_that_nobody_grouped_are_cells():
    truth = np.array([0, 1, 0, 1])
    found = score(truth, truth, ("a", "b"), groups=np.array(["a/1.png", "b/2.png", "a/3.png", "b/4.png"]))
    assert found.interval_over == "cells"
    assert found.warnings == (
        "Nobody said which of these pictures are of one image or movie, so each is taken by itself: where some are, "
        "the score is too good and the interval too narrow.",
    )


def test_unseen_predictions_are_scored_with_everything_that_is_known():
    probabilities = np.tile(np.array([[0.7, 0.2, 0.1]], dtype=np.float32), (30, 1))
    unseen = Unseen(
        names=np.arange(30).astype(str),
        truth=np.repeat([0, 1], [20, 10]),
        groups=np.char.add("movie ", (np.arange(30) % 15).astype(str)),
        fold=np.zeros(30, int),
        probabilities=probabilities,
        raw=np.tile(np.array([[1, 0, 0]], dtype=np.float32), (30, 1)),
        classes=ClassScheme.from_names(["0", "0.1", "1"], "ordered"),
    )
    found = score_unseen(unseen)
    assert (found.n, found.groups, found.interval_over, found.by_cell) == (30, 15, "15 movies", False)
    assert found.ece is not None
    assert abs(found.ece - (0.7 - 20 / 30)) < 1e-6
    assert found.ece_before is not None
    assert abs(found.ece_before - 1 / 3) < 1e-6
    assert found.kappa == 0
    assert found.kappa_kind == "quadratic"
    assert [one.n for one in found.per_class] == [20, 10, 0]
    assert "Class '1' has no cell" in found.warnings[0]
