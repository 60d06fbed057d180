"""What an epoch shows: which cells, how often, turned how, and how far it says it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.lessons import Lessons, showings, shown_in_epoch
from napari_cellstage.learn.networks import make_network
from napari_cellstage.learn.recipe import Recipe

PLAIN = Recipe(
    kind="finetune",
    network="layers",
    layers="conv 2 3, pool 2, dense 4",
    weights="none",
    batch_size=4,
    average=0.0,
    device="cpu",
    rotate=False,
    flip=False,
    scale=0.0,
    shift=0.0,
    brightness=0.0,
    contrast=0.0,
    noise=0.0,
)


def lessons(recipe: Recipe = PLAIN, count: int = 9, should_stop=lambda: False) -> Lessons:
    torch.manual_seed(0)
    labels = torch.arange(count) % 2
    pictures = torch.rand(count, 1, 8, 8) + labels.view(-1, 1, 1, 1)
    start = make_network(recipe, 1, 2, 8)
    return Lessons(recipe, start, False, pictures, labels, 2, 3, should_stop)


def order(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=50)
@given(
    labels=st.lists(st.integers(0, 3), min_size=2, max_size=30),
    upsample=st.booleans(),
    quarter_turns=st.booleans(),
    seed=st.integers(0, 99),
)
def test_only_its_own_cells_are_shown_each_as_often_as_it_should_be(labels, upsample, quarter_turns, seed):
    known = torch.tensor(labels)
    rows = np.flatnonzero(np.arange(len(labels)) % 3 != 1)
    recipe = PLAIN.but(upsample=upsample, quarter_turns=quarter_turns)
    places, quarters = showings(known, rows, recipe, order(seed))
    assert set(places.tolist()) == set(rows.tolist()), "all of the part, and none of another"
    assert len(places) == len(quarters) == shown_in_epoch(known[rows], recipe)
    turns = 4 if quarter_turns else 1
    pairs = torch.stack([places, quarters]).unique(dim=1, return_counts=True)[1]
    assert set(quarters.tolist()) == set(range(turns))
    times = torch.bincount(places)[rows] // turns
    if upsample:
        of_class = torch.bincount(known[places])
        assert len(set(of_class[of_class > 0].tolist())) == 1
        for label in known[rows].unique():
            own = times[known[rows] == label]
            assert own.max() - own.min() <= 1
    else:
        assert set(times.tolist()) == {1}
        assert set(pairs.tolist()) == {1}


def test_each_epoch_has_its_own_order():
    one = order()
    rows = np.arange(20)
    first, second = (showings(torch.zeros(20, dtype=torch.int64), rows, PLAIN, one)[0].tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == rows.tolist()


def test_turned_copies_reach_the_network_turned(run, monkeypatch):
    some = lessons(PLAIN.but(quarter_turns=True, batch_size=64))
    learner = some.learner(np.array([2]))
    seen = []
    monkeypatch.setattr(learner, "step", lambda crops, labels, rate: seen.append(crops) or 0.0)
    run(some.train_epoch(learner, np.array([2]), 1))
    wanted = {tuple(torch.rot90(some.pictures[2], k, (1, 2)).flatten().tolist()) for k in range(4)}
    assert {tuple(one.flatten().tolist()) for one in torch.cat(seen)} == wanted


@pytest.mark.parametrize("count", [8, 9])
def test_progress_counts_up_to_what_was_expected(run, count: int):
    some = lessons(count=count)
    rows = np.arange(count)
    some.expect(rows)
    learner = some.learner(rows)
    events = [one for epoch in (1, 2, 3) for one in run(some.train_epoch(learner, rows, epoch))[0]]
    done = [one.done for one in events if isinstance(one, BatchDone)]
    assert done == sorted(done)
    assert done[-1] == events[-1].total == 3 * count
    assert {one.what for one in events} == {"epoch 1/3", "epoch 2/3", "epoch 3/3"}


def test_a_learner_knows_nothing_of_other_rows():
    some = lessons(PLAIN.but(standardise="mean image"))
    rows = np.array([0, 2, 4])
    network = some.learner(rows).network
    assert torch.allclose(network.mean[0], some.pictures[rows].mean(0), atol=1e-6)
    other = lessons(PLAIN.but(standardise="mean image"))
    other.pictures[[1, 3, 5, 6, 7, 8]] += 5
    assert torch.equal(other.learner(rows).network.mean, network.mean)


def test_learners_start_alike_and_do_not_share_weights():
    some = lessons()
    one, other = some.learner(np.arange(4)), some.learner(np.arange(4, 9))
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.data_ptr() != b.data_ptr()


def test_classes_shown_alike_are_not_weighted_again():
    labels = torch.tensor([0] * 8 + [1])
    for upsample, alike in ((False, False), (True, True)):
        some = lessons(PLAIN.but(upsample=upsample))
        one = Lessons(some.recipe, some.start, False, some.pictures, labels, 2, 3, some.should_stop)
        weights = one.learner(np.arange(9))._criterion.weight
        assert bool(torch.allclose(weights[0], weights[1])) is alike


def test_a_stop_ends_the_epoch(run):
    asked = iter(range(1000))
    some = lessons(should_stop=lambda: next(asked) > 12)
    events, _ = run(some.train_epoch(some.learner(np.arange(9)), np.arange(9), 1))
    assert len(events) < 3
