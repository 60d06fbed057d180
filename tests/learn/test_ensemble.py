"""Members trained on the same cells, their answers averaged: honest, whole after a stop, the same from disk."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.scoring.calibration import cautious_temperature, cross_fitted
from napari_cellstage.learn.attention import attention
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.embedding import latest_embedder
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.grad_cam import grad_cam
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import judge, predict
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import read_record
from napari_cellstage.learn.runs import save_run
from napari_cellstage.learn.spaces import read_space

NET = """name = "net"
kind = "finetune"
network = "mobilenet_v3_small"
weights = "none"
epochs = 2
batch_size = 8
views = 1
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Return the file of a network that trains in a second."""
    file = tmp_path_factory.mktemp("recipes") / "net.toml"
    file.write_text(NET)
    return file


@pytest.fixture(scope="module")
def both(net):
    return Recipe.load("ensemble").but(members=f"quick, {net}", threads=1, holdout=0.3)


@pytest.fixture
def cells(make_crops):
    """Return cells of six movies."""
    return TrainingSet.from_crops(make_crops(count=48, groups=6), Recipe())


@pytest.fixture
def trained(cells, both, run):
    return run(fit(cells, both))


def notes(events):
    return " ".join(event.text for event in events if isinstance(event, Note))


def stopped_at(work, until):
    """Run a training that is stopped at the first event for which `until` is true."""
    events, asked = [], []
    steps = work(lambda: bool(asked))
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value
        if until(events[-1]):
            asked.append(True)


def test_members_learn_from_the_same_cells_and_their_answers_are_averaged(trained, cells):
    _, model = trained
    first, second = model.members
    assert [one.kind for one in model.members] == ["quick", "finetune"]
    assert first.card["split"] == second.card["split"] == model.card["split"]
    mean = (first.unseen.probabilities.astype(float) + second.unseen.probabilities) / 2
    assert np.allclose(model.unseen.raw, mean, atol=1e-6)
    held_out = model.held_out
    fair = cross_fitted(model.unseen.raw, cells.labels[held_out], cells.groups[held_out], 0)
    assert np.array_equal(model.unseen.probabilities, fair)
    assert model.card["temperature"] == cautious_temperature(model.unseen.raw, cells.labels[held_out])
    assert model.scores.n == held_out.sum()
    assert np.array_equal(model.unseen.embedding, first.unseen.embedding)


def test_a_cells_own_label_has_no_say_in_its_probability(cells, run):
    recipe = Recipe.load("ensemble").but(members="quick, quick", threads=1)
    held_out = np.isin(cells.groups, ["movie 0", "movie 1", "movie 2"])
    row = int(np.flatnonzero(cells.groups == "movie 1")[0])
    labels = cells.labels.copy()
    labels[row] = (labels[row] + 1) % 3
    seen = [run(fit(one, recipe, held_out=held_out))[1].unseen for one in (cells, replace(cells, labels=labels))]
    mine = seen[0].groups == "movie 1"
    assert np.array_equal(seen[0].probabilities[mine], seen[1].probabilities[mine])
    assert not np.array_equal(seen[0].truth, seen[1].truth)


def test_what_it_says_of_new_cells_is_the_calibrated_mean(trained, cells, run):
    _, model = trained
    said = run(judge(model, cells.crops))[1]
    parts = [run(judge(one, cells.crops))[1] for one in model.members]
    mean = (parts[0].probabilities.astype(float) + parts[1].probabilities) / 2
    sharper = mean ** (1 / model.card["temperature"])
    assert np.allclose(said.probabilities, sharper / sharper.sum(axis=1, keepdims=True), atol=1e-5)
    assert np.array_equal(said.embedding, parts[0].embedding)
    assert np.array_equal(said.unlike, parts[0].unlike)


def test_the_progress_is_one_bar_that_never_goes_back(trained):
    events, _ = trained
    steps = [event for event in events if isinstance(event, BatchDone)]
    assert len({event.total for event in steps}) == 1
    done = [event.done for event in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total
    assert {event.what.split(",")[0] for event in steps} == {"member 1 of 2", "member 2 of 2"}


def test_notes_and_epochs_of_the_members_are_passed_on(trained):
    events, _ = trained
    assert "Member 1 of 2: quick. Quick model:" in notes(events)
    assert "Member 2 of 2: net." in notes(events)
    epochs = [(event.member, event.epoch) for event in events if isinstance(event, EpochDone)]
    assert epochs == [("1 quick", 1), ("2 net", 1), ("2 net", 2)]


def test_the_same_recipe_twice_starts_from_other_random_numbers(cells, net, run):
    recipe = Recipe.load("ensemble").but(members=f"{net}, {net}", threads=1)
    _, model = run(fit(cells, recipe))
    first, second = (one.unseen.raw for one in model.members)
    assert not np.array_equal(first, second)
    assert model.network is model.members[0]


def test_without_held_out_cells_it_is_as_sure_as_its_members(cells, run):
    _, model = run(fit(cells, Recipe.load("ensemble").but(members="quick, quick", holdout=0.0, threads=1)))
    assert (model.unseen, model.scores, model.card["temperature"]) == (None, None, 1.0)
    assert np.isfinite(run(predict(model, cells.crops))[1]).all()


def test_a_choice_that_has_no_effect_is_named(cells, run):
    recipe = Recipe.load("ensemble").but(members="quick", epochs=3, threads=1)
    events, _ = run(fit(cells, recipe))
    assert "Without effect on an ensemble, as its members have their own: epochs." in notes(events)


def test_a_stop_keeps_the_members_that_are_whole(cells, both):
    events, model = stopped_at(
        lambda stop: fit(cells, both, stop), lambda event: isinstance(event, EpochDone) and event.member == "2 net"
    )
    assert "Stopped: 1 of 2 members were trained, and are the ensemble: quick." in notes(events)
    assert [one.kind for one in model.members] == ["quick"]
    assert model.recipe.members == "quick"
    assert model.card["stopped"]
    assert model.scores.n == model.held_out.sum()


def test_a_stop_within_the_first_member_keeps_that(cells, net):
    recipe = Recipe.load("ensemble").but(members=f"{net}, quick", threads=1)
    events, model = stopped_at(lambda stop: fit(cells, recipe, stop), lambda event: isinstance(event, EpochDone))
    assert [one.kind for one in model.members] == ["finetune"]
    assert "1 of 2 members" in notes(events)


def test_a_stop_before_anything_was_learned_leaves_nothing(cells, net):
    recipe = Recipe.load("ensemble").but(members=f"{net}, quick", threads=1)
    with pytest.raises(TrainingStopped, match="before its first member had learned anything"):
        stopped_at(lambda stop: fit(cells, recipe, stop), lambda event: isinstance(event, BatchDone))


def test_a_prediction_that_is_stopped_says_nothing_of_the_rest(trained, cells, run):
    _, model = trained
    _, said = run(predict(model, cells.crops, should_stop=lambda: True))
    assert np.isnan(said).all()


def test_no_cells_are_predicted_as_none(trained, cells, run):
    _, model = trained
    assert run(predict(model, cells.crops[:0]))[1].shape == (0, 3)


def test_every_cell_is_cross_validated(cells, run):
    recipe = Recipe.load("ensemble").but(members="quick, quick", folds=3, threads=1)
    events, found = run(cross_validate(cells, recipe))
    assert sorted(found.names) == sorted(cells.names)
    assert (found.predicted == found.truth).mean() > 0.8
    # Temperatures are from the other groups of all folds, as those of one fold are from few cells.
    fair = cross_fitted(found.raw, found.truth, found.groups, recipe.seed)
    assert np.allclose(found.probabilities, fair, atol=1e-6)
    done = [event.done for event in events if isinstance(event, BatchDone)]
    assert done == sorted(done)


@pytest.fixture
def folder(trained, tmp_path):
    events, model = trained
    save_run(tmp_path / "run", model, [event for event in events if isinstance(event, EpochDone)])
    return tmp_path / "run"


def test_from_disk_it_says_the_same(folder, trained, cells, run):
    _, model = trained
    again = TrainedModel.load(folder)
    assert [one.recipe.name for one in again.members] == ["quick", "net"]
    assert np.array_equal(run(predict(again, cells.crops))[1], run(predict(model, cells.crops))[1])
    assert again.space is again.members[0].space
    assert again.on_device("cpu").members[1].recipe.device == "cpu"
    members = [(one["recipe"], one["kind"], one["seed"]) for one in again.card["members"]]
    assert members == [("quick", "quick", 0), ("net", "finetune", 0)]


def test_where_it_sees_cells_is_read_without_its_members(folder, trained):
    _, model = trained
    found = read_space(folder).arrays()
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in model.members[0].space.arrays().items()
    }
    shutil.rmtree(folder / "members")
    assert read_space(folder) is None


def test_its_history_says_which_member_an_epoch_is_of(folder):
    lines = (folder / "history.csv").read_text().splitlines()
    assert lines[0].split(",")[-1] == "member"
    assert [line.split(",")[-1] for line in lines[1:]] == ["1 quick", "2 net", "2 net"]


def test_a_run_without_members_has_no_column_for_them(cells, run, tmp_path):
    events, model = run(fit(cells, Recipe.load("quick").but(threads=1)))
    save_run(tmp_path, model, [event for event in events if isinstance(event, EpochDone)])
    assert "member" not in (tmp_path / "history.csv").read_text()


def test_runs_know_that_it_has_a_model(folder):
    record = read_record(folder)
    assert (record.has_model, record.problem, record.recipe) == (True, "", "ensemble")
    shutil.rmtree(folder / "members")
    assert "model's file is gone" in read_record(folder).problem


def changed(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def damage_none(folder):
    changed(folder / "card.json", members=[])


def damage_member(folder):
    (folder / "members" / "1" / "weights.safetensors").unlink()


def damage_card(folder):
    (folder / "members" / "0" / "card.json").unlink()


def damage_classes(folder):
    card = json.loads((folder / "members" / "1" / "card.json").read_text())
    card["classes"]["classes"][0]["name"] = "another"
    (folder / "members" / "1" / "card.json").write_text(json.dumps(card))


def damage_crops(folder):
    changed(folder / "members" / "1" / "card.json", crop_size=99)


def damage_nested(folder):
    card = json.loads((folder / "card.json").read_text())
    changed(folder / "members" / "0" / "card.json", recipe=card["recipe"])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_none, "ensemble without members"),
        (damage_member, "has a card but no weights.safetensors"),
        (damage_card, "no model in .*card.json is missing"),
        (damage_classes, "member 1 knows other classes: another"),
        (damage_crops, "member 1 sees other pictures"),
        (damage_nested, "member '0' is an ensemble itself"),
    ],
)
def test_a_damaged_folder_is_said_plainly(folder, damage, said):
    damage(folder)
    with pytest.raises(ModelError, match=said):
        TrainedModel.load(folder)


def test_its_network_is_asked_where_it_looks_about_the_class_that_all_think_of(folder, cells, run):
    model = TrainedModel.load(folder)
    _, maps = run(attention(model, cells.crops[:4]))
    wanted = run(predict(model, cells.crops[:4]))[1].argmax(axis=1)
    _, of_network = run(attention(model.members[1], cells.crops[:4], places=wanted))
    assert maps.shape == (4, 24, 24)
    assert np.array_equal(maps, of_network)
    assert grad_cam.__module__.endswith("grad_cam")


def test_without_a_network_parts_of_the_cell_are_covered(cells, run):
    _, model = run(fit(cells, Recipe.load("ensemble").but(members="quick, quick", threads=1)))
    events, maps = run(attention(model, cells.crops[:2]))
    assert {event.what for event in events} == {"covering parts of cells"}
    assert maps.max() > 0


def test_what_its_network_sees_can_be_exported(folder, cells):
    found = latest_embedder(folder.parent, 2)
    assert found.source == "mobilenet_v3_small of run run"
    assert len(found.embed(cells.crops[:3])) == 3
    assert latest_embedder(folder.parent, 2, "DNA (predicted)") is None, "it has not learned what that looks like"
