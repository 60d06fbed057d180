"""Random weights that survive the first steps."""

from __future__ import annotations

import pytest
import torch

from napari_cellstage.learn import finetune, living_start
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe

TINY = {"network": "layers", "layers": "conv 4 3, pool 2, dense 8", "batch_size": 16, "weights": "none", "epochs": 1}


@pytest.fixture
def cells(make_crops, recipe: Recipe) -> TrainingSet:
    return TrainingSet.from_crops(make_crops(count=48), recipe)


def dead_for(times: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the first networks be dead: their dense units answer to nothing."""
    made: list[int] = []
    honest = finetune.make_network

    def make(*given):
        network = honest(*given)
        made.append(1)
        if len(made) <= times:
            last = next(m for m in network.modules() if isinstance(m, torch.nn.Linear))
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.constant_(last.bias, -100.0)
        return network

    monkeypatch.setattr(finetune, "make_network", make)
    return made


def test_a_network_that_dies_starts_from_other_weights(cells, recipe: Recipe, run, monkeypatch):
    made = dead_for(2, monkeypatch)
    events, model = run(fit(cells, recipe.but(**TINY)))
    told = [event.text for event in events if isinstance(event, Note) and "says the same of every cell" in event.text]
    assert [text.rpartition("(")[2] for text in told] == ["2 of 5).", "3 of 5)."]
    assert len(made) == 3
    assert model.scores is not None


def test_after_all_tries_it_says_what_may_help(cells, recipe: Recipe, run, monkeypatch):
    made = dead_for(100, monkeypatch)
    events, _ = run(fit(cells, recipe.but(**TINY)))
    assert len(made) == living_start.TRIES
    assert any("A smaller learning rate (now " in event.text for event in events if isinstance(event, Note))


def test_one_that_lives_is_kept_as_it_was(cells, recipe: Recipe, run, monkeypatch):
    made = dead_for(0, monkeypatch)
    run(fit(cells, recipe.but(**TINY)))
    assert len(made) == 1


def test_the_rehearsal_is_the_beginning_of_the_training_and_changes_nothing(cells, recipe: Recipe, run, monkeypatch):
    recipe = recipe.but(**TINY | {"epochs": 2}, dropout=0.5, quarter_turns=True)
    _, rehearsed = run(fit(cells, recipe))

    def at_once(lessons, rows, new):
        yield from ()
        return lessons

    monkeypatch.setattr(finetune, "living_start", at_once)
    _, plain = run(fit(cells, recipe))
    assert all((rehearsed.arrays[name] == plain.arrays[name]).all() for name in plain.arrays)
