from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cellstage.core.errors import MissingExtraError
from napari_cellstage.core.review import projections
from napari_cellstage.core.review.projecting import compute
from napari_cellstage.core.review.projections import (
    ProjectionError,
    check_installed,
    inside,
    nearest_place,
    principal_places,
    project,
    shown_rows,
)


def two_clouds(count: int = 60) -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    made[count // 2 :, 2] += 30
    return made


def finished(work):
    seen = []
    while True:
        try:
            seen.append(next(work))
        except StopIteration as end:
            return end.value, seen


@settings(deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(0, 12), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)))
def test_pca_keeps_as_much_of_the_spread_as_two_axes_can(values):
    places = principal_places(values)
    assert places.shape == (len(values), 2)
    centred = values - values.mean(axis=0) if len(values) else values
    strongest = np.linalg.svd(centred.astype(np.float64), compute_uv=False)[:2] if len(values) else np.zeros(2)
    assert np.sqrt((places.astype(np.float64) ** 2).sum()) == pytest.approx(np.sqrt((strongest**2).sum()), abs=0.01)


def test_pca_is_the_same_each_time_and_parts_what_differs():
    values = two_clouds()
    places = principal_places(values)
    assert np.array_equal(places, principal_places(values.copy()))
    assert abs(places[:30, 0].mean() - places[30:, 0].mean()) > 25


def test_cells_without_an_embedding_have_no_place_and_of_very_many_some_are_drawn():
    values = two_clouds()
    values[3] = np.nan
    assert shown_rows(values).tolist() == [row for row in range(60) if row != 3]
    some = shown_rows(values, most=10)
    assert len(some) == 10
    assert 3 not in some
    assert np.array_equal(some, np.sort(some))
    assert np.array_equal(some, shown_rows(values, most=10))


def test_maps_are_computed_in_a_process_of_their_own():
    places, seen = finished(project(two_clouds(), "t-SNE", lambda: False))
    assert places.shape == (60, 2)
    assert np.isfinite(places).all()
    first, second = places[:30].mean(axis=0), places[30:].mean(axis=0)
    spread = max(places[:30].std(axis=0).max(), places[30:].std(axis=0).max())
    assert np.linalg.norm(first - second) > spread
    assert all(0 <= done < total == 100 for done, total in seen)


def test_umap_begins_with_the_pca_and_has_no_more_neighbours_than_there_are(monkeypatch):
    asked = {}

    class UMAP:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, values):
            return values[:, :2].astype(np.float64)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=UMAP))  # the real one takes a minute to compile
    places = compute("UMAP", two_clouds(10), 3)
    assert places.dtype == np.float32
    assert (asked["n_neighbors"], asked["random_state"], asked["init"].shape) == (9, 3, (10, 2))


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("", 0),
        ("[t-SNE] Iteration 50: error = 70\n[t-SNE] Iteration 375: error = 2", 50),
        ("[t-SNE] Iteration 750: error", 99),
        ("Epochs completed:   2%| \rEpochs completed:  31%|###", 31),
    ],
)
def test_progress_is_what_the_library_says(said, share):
    assert projections._share_done(said) == share


def test_a_stop_ends_the_process():
    started = []

    class Popen(projections.subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projections.subprocess, "Popen", Popen)
        places, _ = finished(project(two_clouds(), "t-SNE", lambda: True))
    assert places is None
    assert started[0].poll() is not None


def test_a_handful_of_cells_is_shown_as_their_pca():
    values = two_clouds(4)
    places, seen = finished(project(values, "t-SNE", lambda: False))
    assert np.array_equal(places, principal_places(values))
    assert not seen


def test_a_missing_package_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(projections.importlib, "util", SimpleNamespace(find_spec=lambda _name: None))
    with pytest.raises(MissingExtraError, match=r"pip install 'napari-cellstage\[umap\]', then start again; or choose"):
        check_installed("UMAP")
    check_installed("t-SNE")


def test_a_computation_that_fails_is_told_with_its_reason(monkeypatch):
    monkeypatch.setattr(projections, "FEWEST", 0)
    with pytest.raises(ProjectionError, match=r"t-SNE could not be computed: .*look at PCA"):
        finished(project(np.zeros((0, 3), dtype=np.float32), "t-SNE", lambda: False))


def test_what_a_line_goes_around_is_inside():
    places = np.array([[0.5, 0.5], [2, 2], [-0.1, 0.5], [0.9, 0.05]], dtype=np.float32)
    triangle = np.array([[0, 0], [1, 0], [0, 1]])
    assert inside(places, np.array([[0, 0], [1, 0], [1, 1], [0, 1]])).tolist() == [True, False, False, True]
    assert inside(places * 0.9, triangle).tolist() == [True, False, False, True]
    assert not inside(places, triangle[:2]).any()
    assert inside(np.zeros((0, 2), np.float32), triangle).tolist() == []


def test_the_nearest_point_within_reach_of_the_mouse():
    places = np.array([[0, 0], [10, 0]], dtype=np.float32)
    assert nearest_place(places, (9.0, 0.1), (0.1, 0.1)) == 1
    assert nearest_place(places, (5.0, 0.0), (0.1, 0.1)) is None
    assert nearest_place(places[:0], (5.0, 0.0), (0.1, 0.1)) is None
