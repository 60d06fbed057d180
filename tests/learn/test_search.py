"""The topology search: its ranges, its trials, and that a search that was ended goes on as if it had not been."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import MissingExtraError, TrainingError
from napari_cellstage.learn import search as module
from napari_cellstage.learn import search_study, search_trials
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.nets.layer_text import read_layers
from napari_cellstage.learn.networks import make_network
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search import search_topology
from napari_cellstage.learn.search_report import Found, TriedNetwork, found_so_far
from napari_cellstage.learn.search_space import SearchChoices, SearchSpace, weigh
from napari_cellstage.learn.search_study import Study, opened

optuna = pytest.importorskip("optuna")
TINY = SearchSpace((1, 2), (2, 4), (2, 3), (True, False), (1, 1), (4, 8), (12, 16), 4)
CHOICES = SearchChoices(trials=4, folds=2, epochs=1, space=TINY)
Run = Callable[[Any], tuple[list[Any], Any]]


@pytest.fixture
def small(make_crops: Callable[..., Any]) -> TrainingSet:
    return TrainingSet.from_crops(make_crops(count=36, classes=2, channels=1, side=16, groups=9), Recipe())


@pytest.fixture
def base() -> Recipe:
    return Recipe.load("microtubule-cnn").but(batch_size=8, threads=1, device="cpu", input_size=16, holdout=0.2)


def tried(found: Found) -> list[tuple[str, str, int, float]]:
    return [(one.state, one.layers, one.input_size, one.accuracy) for one in found.trials]


def test_the_ranges_are_the_published_ones_and_networks_are_within_them():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(60):
        layers, side = SearchSpace().suggest(study.ask())
        read = read_layers(layers)
        convolutions = [one for one in read if one.word == "conv"]
        dense = [one for one in read if one.word == "dense"]
        assert 1 <= len(convolutions) <= 5
        assert 1 <= len(dense) <= 4
        assert all(8 <= one.width <= 256 and 2 <= one.kernel <= 5 for one in convolutions)
        assert all(16 <= one.width <= 512 for one in dense)
        assert sum(one.word == "pool" for one in read) in (0, len(convolutions))
        assert 100 <= side <= 300


def test_a_range_that_cannot_be_is_said():
    with pytest.raises(TrainingError, match="filters is 9 to 3"):
        SearchSpace(filters=(9, 3))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_parameters_are_counted_as_torch_counts_them(seed: int):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    layers, side = replace(TINY, dense=(1, 3)).suggest(study.ask())
    network = make_network(Recipe(network="layers", layers=layers, weights="none", input_size=side), 2, 3, side)
    need = weigh(layers, 2, 3, side, batch=8)
    assert need.parameters == sum(one.numel() for one in network.parameters())
    assert need.memory > 16 * need.parameters


def test_a_search_finds_a_network_and_leaves_what_it_found(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run):
    events, done = run(search_topology(small, base, tmp_path, CHOICES))
    assert done.found.tried == 4
    best, table = done.found.best, pd.read_csv(tmp_path / "trials.csv")
    assert best is not None
    assert len(table) == len(done.found.trials)
    assert table.loc[best.number - 1, "accuracy"] == pytest.approx(best.accuracy)
    assert best.accuracy == max(one.accuracy for one in done.found.trials if one.state == "complete")
    assert best.interval[0] <= best.accuracy <= best.interval[1]
    recipe = Recipe.load(str(tmp_path / "best.toml"))
    assert (recipe.layers, recipe.input_size, recipe.network) == (best.layers, best.input_size, "layers")
    assert recipe == done.recipe.but(device="auto", threads=0)
    assert "flatters" in (tmp_path / "best.toml").read_text()
    assert "10 complete trials" in done.found.importance_text
    totals = [one for one in events if hasattr(one, "total")]
    assert all(one.done <= one.total for one in totals)


def test_the_score_at_the_end_is_of_cells_that_no_trial_saw(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    seen: list[tuple[set[str], set[str]]] = []
    real = module.fit

    def noted(data: TrainingSet, recipe: Recipe, should_stop: Any, *, held_out: Any) -> Any:
        names = np.array(data.names)
        seen.append((set(names.tolist()), set(names[held_out].tolist())))
        return real(data, recipe, should_stop, held_out=held_out)

    monkeypatch.setattr(module, "fit", noted)
    monkeypatch.setattr(search_trials, "fit", noted)
    _, done = run(search_topology(small, base, tmp_path, CHOICES))
    *trials, (every, scored) = seen
    assert every == set(small.names)
    assert done.scores.n == len(scored) > 0
    assert all(not scored & of_trial for of_trial, _ in trials)
    of_group = dict(zip(small.names, small.groups.tolist(), strict=True))
    searched = {of_group[name] for of_trial, _ in trials for name in of_trial}
    assert not searched & {of_group[name] for name in scored}


class Killed(BaseException):
    """What a crash is to the search: nothing catches it."""


def test_a_search_killed_in_its_midst_goes_on_as_if_it_had_not_been(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    _, whole = run(search_topology(small, base, tmp_path / "whole", CHOICES))
    real, fits = module.fit, 0

    def dying(*args: Any, **more: Any) -> Any:
        nonlocal fits
        fits += 1
        if fits == 4:
            raise Killed
        return real(*args, **more)

    monkeypatch.setattr(search_trials, "fit", dying)
    with pytest.raises(Killed):
        run(search_topology(small, base, tmp_path / "cut", CHOICES))
    monkeypatch.setattr(search_trials, "fit", real)
    with sqlite3.connect(tmp_path / "cut" / "search.sqlite") as file:
        assert ("RUNNING",) in file.execute("select state from trials").fetchall()
    file.close()
    events, resumed = run(search_topology(small, base, tmp_path / "cut", CHOICES))
    assert any("ended in their midst: 1" in getattr(one, "text", "") for one in events)
    assert resumed.found.count("ended in its midst") == 1
    assert resumed.found.tried == whole.found.tried == 4
    assert [one for one in tried(resumed.found) if one[0] != "ended in its midst"] == tried(whole.found)
    assert resumed.recipe == whole.recipe
    assert resumed.scores.accuracy == whole.scores.accuracy


def test_a_search_that_is_done_tries_nothing_more_and_more_can_be_asked_for(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run
):
    few = replace(CHOICES, trials=2)
    _, first = run(search_topology(small, base, tmp_path, few))
    _, again = run(search_topology(small, base, tmp_path, few))
    assert tried(again.found) == tried(first.found)
    _, more = run(search_topology(small, base, tmp_path, replace(few, trials=3)))
    assert more.found.tried == 3
    assert tried(more.found)[: len(first.found.trials)] == tried(first.found)


def test_a_stop_keeps_the_best_so_far(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run):
    stopped = False
    work = search_topology(small, base, tmp_path, CHOICES, lambda: stopped)
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            done = end.value
            break
        stopped = stopped or getattr(event, "text", "").startswith("trial 2")
    assert done.found.tried == 2
    assert (tmp_path / "best.toml").is_file()
    assert done.scores is None


def test_a_time_limit_ends_a_search_between_trials(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run):
    events, done = run(search_topology(small, base, tmp_path, replace(CHOICES, minutes=0.0)))
    assert done.found.tried <= 1
    assert any("minutes are over" in getattr(one, "text", "") for one in events)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"seed": 1}, "other seed"),
        ({"folds": 3}, "other folds"),
        ({"space": replace(TINY, filters=(2, 5))}, "other ranges"),
        ({"epochs": 2}, "other choices of the recipe"),
    ],
)
def test_a_search_does_not_go_on_with_something_else(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run, changed: dict[str, Any], what: str
):
    run(search_topology(small, base, tmp_path, replace(CHOICES, trials=1)))
    with pytest.raises(TrainingError, match=what):
        run(search_topology(small, base, tmp_path, replace(CHOICES, **changed)))


def test_a_search_does_not_go_on_with_other_cells(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run):
    run(search_topology(small, base, tmp_path, replace(CHOICES, trials=1)))
    relabelled = replace(small, labels=small.labels[::-1].copy())
    with pytest.raises(TrainingError, match="other cells"):
        run(search_topology(relabelled, base, tmp_path, CHOICES))


def test_networks_that_cannot_be_are_named_and_do_not_count(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run):
    space = replace(TINY, convolutions=(1, 4), kernel=(2, 5), pooling=(True,))  # of 12 pixels four layers leave none
    _, done = run(search_topology(small, base, tmp_path, replace(CHOICES, trials=3, space=space)))
    assert done.found.tried == 3
    table = pd.read_csv(tmp_path / "trials.csv")
    impossible = table[table["state"] == "can't be"]
    assert len(impossible) == done.found.count("can't be") > 0
    assert impossible["reason"].str.contains("looks at").all()


def test_where_no_network_can_be_the_search_says_why(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search_trials, "GIVE_UP", 3)
    with pytest.raises(TrainingError, match=r"None of 3 networks .* GB of memory, more than the 1e-06 GB"):
        run(search_topology(small, base, tmp_path, replace(CHOICES, memory_gb=1e-6)))


def test_a_trial_below_the_middle_is_given_up(small: TrainingSet, base: Recipe, tmp_path: Path, run: Run, monkeypatch):
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda self: self.number == 1)
    _, done = run(search_topology(small, base, tmp_path, replace(CHOICES, trials=3)))
    states = [one.state for one in done.found.trials if one.state != "can't be"]
    assert states.count("given up") <= 1
    given_up = [one for one in done.found.trials if one.state == "given up"]
    assert all("after fold 1 of 2" in one.reason and len(one.folds) == 1 for one in given_up)
    assert done.found.best.state == "complete"


def test_recipes_without_layers_and_too_few_cells_are_refused(
    small: TrainingSet, base: Recipe, tmp_path: Path, run: Run
):
    with pytest.raises(TrainingError, match="has no layers"):
        run(search_topology(small, Recipe.load("quick"), tmp_path, CHOICES))
    with pytest.raises(TrainingError, match="4 cells in 1 groups can't be divided"):
        run(search_topology(replace(small.take(np.arange(4)), groups=np.array(["one"] * 4)), base, tmp_path, CHOICES))


def test_without_optuna_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, small, base, tmp_path, run):
    monkeypatch.setattr(search_study.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'napari-cellstage\[search\]'"):
        run(search_topology(small, base, tmp_path, CHOICES))


def test_two_searches_do_not_work_in_one_folder(tmp_path: Path):
    second = opened(tmp_path, {"seed": 0})
    with opened(tmp_path, {"seed": 0}), pytest.raises(TrainingError, match="Another search is at work"), second:
        pass


def test_a_class_of_which_too_few_cells_are_left_for_the_search_is_said(
    make_crops: Any, base: Recipe, run: Run, tmp_path: Path
):
    cells = TrainingSet.from_crops(make_crops(count=6, classes=3, channels=1, side=16, groups=1), base)
    with pytest.raises(TrainingError, match=r"Class '.*' has 2 labelled cells, of which 1 would be held out to score"):
        run(search_topology(cells, base.but(holdout=0.5), tmp_path, CHOICES))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_search_is_said(tmp_path: Path):
    (tmp_path / "search.sqlite").write_bytes(b"not a database, but longer than its head" * 20)
    said = r"search\.sqlite' can't be read as a search: file is not a database\. Move it away, and search anew\.$"
    with pytest.raises(TrainingError, match=said), opened(tmp_path, {}):
        pass


def test_what_each_choice_matters_is_told_from_ten_trials_on(tmp_path: Path):
    study = Study(tmp_path / "search.sqlite")
    for _ in range(10):
        assert study.importance(0) == {}
        trial = study.ask(0)
        filters, other = trial.suggest_int("filters 1", 8, 256), trial.suggest_int("kernel 1", 2, 5)
        trial.report(filters / 256 + 0.001 * other, 0)
        study.complete(trial, filters / 256 + 0.001 * other)
    found = found_so_far(study, 0)
    study.close()
    assert found.importance["filters 1"] > 0.8
    assert sum(found.importance.values()) == pytest.approx(1)
    assert "filters 1 0." in found.importance_text or "filters 1 1.00" in found.importance_text


def test_the_interval_over_folds_is_students():
    one = TriedNetwork(1, "complete", "", 16, 0, 0.8, (0.7, 0.8, 0.9), 1.0, "")
    # 0.8 ± 4.303 * 0.1 / sqrt(3)
    assert one.interval == pytest.approx((0.8 - 0.2484, 1.0), abs=1e-3)
    assert np.isnan(replace(one, folds=(0.8,)).interval).all()
