from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.neighbours import group_codes, nearest
from napari_cellstage.core.review.space import FEWEST, Space


def cells(count: int = 300, width: int = 12, kinds: int = 3, seed: int = 0):
    """Return features in clouds around the first corners of a cube, their kinds and the movies they are from."""
    rng = np.random.default_rng(seed)
    kind = np.arange(count) % kinds
    features = rng.normal(size=(count, width)).astype(np.float32)
    features[np.arange(count), kind] += 12
    return features, kind, np.array([f"movie {i % 10}" for i in range(count)])


def test_a_kind_never_met_is_flagged_and_known_kinds_are_not():
    features, kind, movies = cells()
    space = Space.fit(features, movies, labels=kind)
    known, _, _ = cells(seed=1)
    unknown, _, _ = cells(seed=2)
    unknown[:, :3] = 0
    unknown[:, 5] += 12

    assert (space.unlike(space.embed(known)) > 1).mean() < 0.05
    assert (space.unlike(space.embed(unknown)) > 1).mean() > 0.95


def test_noise_far_from_all_is_flagged_without_classes_too():
    features, _, movies = cells()
    space = Space.fit(features, movies)
    noise = np.random.default_rng(3).normal(scale=40, size=(50, 12)).astype(np.float32)

    assert (space.unlike(space.embed(noise)) > 1).all()


def test_about_one_in_a_hundred_cells_of_other_movies_is_flagged_whatever_the_number_of_training_cells():
    flagged = []
    for count in (30, 60, 120, 600):
        features, kind, movies = cells(count, width=40)
        other, _, _ = cells(1000, width=40, seed=7)
        space = Space.fit(features, movies, labels=kind)
        flagged.append((space.unlike(space.embed(other)) > 1).mean())
    assert max(flagged) < 0.1


def test_a_training_cell_is_compared_with_other_groups_only_when_asked():
    features, kind, movies = cells()
    space = Space.fit(features, movies, labels=kind)
    embedded = space.embed(features)

    assert (space.unlike(embedded, movies) > space.unlike(embedded)).mean() > 0.9
    assert np.isnan(space.unlike(embedded[:2], np.array(["movie 1", "nobody's"]))).sum() == 0


def test_what_a_model_file_holds_gives_the_same_answers():
    features, kind, movies = cells()
    space = Space.fit(features, movies, labels=kind)

    again = Space.from_arrays({"bias": np.zeros(3, dtype=np.float32), **space.arrays()})

    assert again is not None
    assert all(a.dtype == np.float32 for a in space.arrays().values())
    assert np.array_equal(again.embed(features), space.embed(features))
    embedded = space.embed(features)
    assert np.array_equal(again.unlike(embedded, movies), space.unlike(embedded, movies))


def test_a_model_file_without_a_space_gives_none():
    assert Space.from_arrays({"bias": np.zeros(3)}) is None


def test_an_embedding_kept_as_float16_says_nearly_the_same():
    features, kind, movies = cells()
    space = Space.fit(features, movies, labels=kind)
    embedded = space.embed(features)

    assert space.unlike(embedded.astype(np.float16)) == pytest.approx(space.unlike(embedded), abs=0.05)


def test_the_same_seed_gives_the_same_space():
    features, kind, movies = cells()
    first, second = (Space.fit(features, movies, seed=5, references=50, labels=kind) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first.arrays().values(), second.arrays().values(), strict=True))


def test_rare_classes_are_kept_whole_among_the_references():
    features, _, _ = cells(1000)
    kind = np.where(np.arange(1000) < 8, 1, 0)
    names = np.array([f"{k}" for k in kind])
    space = Space.fit(features, names, references=100, labels=kind)

    assert len(space.references) == 100
    assert (space.reference_groups == group_codes(np.array(["1"]))[0]).sum() == 8


def test_of_too_few_cells_nothing_is_said():
    features, kind, movies = cells(FEWEST - 1)
    space = Space.fit(features, movies, labels=kind)
    assert np.isnan(space.unlike(space.embed(features))).all()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_handful_of_cells_can_be_embedded(count):
    features, kind, movies = cells(count)
    space = Space.fit(features, movies, labels=kind)
    assert np.isfinite(space.embed(features)).all()
    assert space.embed(features[:0]).shape == (0, space.axes.shape[1])


def test_cells_all_alike_are_like_themselves():
    features = np.full((40, 5), 3.0, dtype=np.float32)
    space = Space.fit(features, np.full(40, "one"))
    assert space.unlike(space.embed(features)).tolist() == [0.0] * 40


def test_one_group_leaves_each_cell_itself_out():
    features, kind, _ = cells()
    space = Space.fit(features, np.full(300, "one image"), labels=kind)
    other, _, _ = cells(seed=4)
    assert (space.unlike(space.embed(other)) > 1).mean() < 0.05


def test_missing_and_infinite_features_count_as_usual_ones():
    features, kind, movies = cells()
    features[3, 2], features[4, 3], features[:, 6], features[:, 7] = np.nan, np.inf, np.nan, 5.0
    space = Space.fit(features, movies, labels=kind)
    other = cells(seed=9)[0]
    other[0, 1], other[1, 7], other[2] = np.nan, np.inf, np.nan
    assert np.isfinite(space.embed(other)).all()


def test_cells_that_were_not_embedded_have_no_distance():
    features, kind, movies = cells()
    space = Space.fit(features, movies, labels=kind)
    embedded = space.embed(features[:3])
    embedded[1] = np.nan
    assert np.isnan(space.unlike(embedded)).tolist() == [False, True, False]


def test_other_features_than_those_trained_on_are_told():
    features, kind, movies = cells()
    with pytest.raises(ModelError, match=r"made for 12 features a cell, here are 11. Train a new model"):
        Space.fit(features, movies, labels=kind).embed(features[:, :11])


def test_two_hundred_classes_of_a_few_cells():
    features, _, movies = cells(400)
    space = Space.fit(features, movies, labels=np.arange(400) % 200)
    assert np.isfinite(space.unlike(space.embed(features))).all()


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (25, 3), elements=st.floats(-1e6, 1e6, width=32)), st.integers(1, 4))
def test_any_features_give_finite_answers(features, groups):
    space = Space.fit(features, np.arange(25) % groups, labels=np.arange(25) % 2)
    embedded = space.embed(features)
    assert np.isfinite(embedded).all()
    assert np.isfinite(space.unlike(embedded)).all()


def test_the_nearest_are_averaged_and_those_of_ones_own_group_left_out():
    values = np.array([[0.0], [1.0]], dtype=np.float32)
    references = np.array([[1.0], [2.0], [30.0]], dtype=np.float32)
    codes = np.array([1.0, 2.0, 2.0], dtype=np.float32)

    assert nearest(values, references, None, None) == pytest.approx([11.0, 10.0])
    assert nearest(values, references, np.array([2.0, 1.0], np.float32), codes) == pytest.approx([1.0, 15.0])
    assert np.isnan(nearest(values, references, np.full(2, 2.0, np.float32), np.full(3, 2.0, np.float32))).all()
