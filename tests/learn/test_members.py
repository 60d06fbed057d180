"""Which recipes an ensemble's members have, and what is said where they can't be."""

from __future__ import annotations

import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.members import CUT_BY, member_names, member_recipes, without_effect
from napari_cellstage.learn.recipe import Recipe, recipe_names

ENSEMBLE = Recipe.load("ensemble")


def test_members_are_recipes_by_name_and_see_the_same_cells():
    changes = {"crop_size": 48, "crop": "cell", "normalise": "image", "seed": 5, "holdout": 0.3, "threads": 2}
    quick, network = member_recipes(ENSEMBLE.but(members=" quick ,finetune,", device="cpu", **changes))
    assert (quick.kind, network.kind) == ("quick", "finetune")
    for member in (quick, network):
        assert {name: getattr(member, name) for name in changes} == changes
        assert member.device == "cpu"
    assert not quick.class_weights  # their own choices stay
    assert network.epochs == 0


def test_every_choice_of_the_crop_is_taken_over():
    changes = {
        "crop_size": 40, "crop": "micrometres", "crop_um": 7.0, "margin": 2.0, "surroundings": "masked",
        "planes": "focus", "planes_count": 3, "normalise": "fixed", "fixed_low": "5", "fixed_high": "50",
    }  # fmt: skip
    assert set(changes) == set(CUT_BY)
    (member,) = member_recipes(ENSEMBLE.but(members="quick", **changes))
    assert {name: getattr(member, name) for name in changes} == changes


def test_the_same_recipe_again_has_another_seed():
    found = member_recipes(ENSEMBLE.but(members="finetune, quick, finetune, finetune", seed=3))
    assert [one.seed for one in found] == [3, 3, 4, 5]


def test_the_last_seed_is_followed_by_the_first():
    assert [one.seed for one in member_recipes(ENSEMBLE.but(members="quick, quick", seed=2**31 - 1))] == [2**31 - 1, 0]


def test_members_may_be_files_beside_the_ensembles(tmp_path, monkeypatch):
    (tmp_path / "small.toml").write_text('name = "small"\nkind = "finetune"\nepochs = 3\n')
    (tmp_path / "both.toml").write_text('name = "both"\nkind = "ensemble"\nmembers = "quick, small.toml"\n')
    monkeypatch.chdir(tmp_path.parent)
    ensemble = Recipe.load(str(tmp_path / "both.toml"))
    assert member_names(ensemble) == ("quick", str(tmp_path / "small.toml"))
    assert [(one.name, one.epochs) for one in member_recipes(ensemble)][1] == ("small", 3)


def test_choices_of_a_member_follow_its_name(tmp_path):
    (tmp_path / "my net.toml").write_text('name = "net"\nkind = "finetune"\n')
    (tmp_path / "all.toml").write_text(
        'name = "all"\nkind = "ensemble"\n'
        'members = "quick classifier=kernel class_weights=TRUE, '
        'quick classifier=trees tree_rate=0.1, my net.toml epochs=4"\n'
    )
    kernel, trees, net = member_recipes(Recipe.load(str(tmp_path / "all.toml")))
    assert (kernel.classifier, kernel.class_weights) == ("kernel", True)
    assert (trees.classifier, trees.tree_rate, trees.class_weights) == ("trees", 0.1, False)
    assert net.epochs == 4
    assert [one.name for one in (kernel, net)] == ["quick classifier=kernel class_weights=TRUE", "net epochs=4"]
    assert {one.seed for one in (kernel, trees, net)} == {0}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ("", r"'ensemble' has no members.*quick, finetune"),
        (" , ", "no members"),
        ("quick, qick", r"no recipe 'qick'.*Choose one of"),
        ("quick, gone.toml", r"no recipe 'gone.toml'.*give a .toml file"),
        ("quick seed=3", "has a seed of its own, but that is the ensemble's"),
        ("quick trees=many", r"trees is 'many', but must be a whole number"),
        ("quick tres=5", r"no choice 'tres'"),
        ("quick classifier=forest", "must be one of auto, linear, kernel, trees"),
        ("quick, ensemble", r"'ensemble' is an ensemble.*Name its own members instead"),
    ],
)
def test_what_can_not_be_is_said(members, said):
    with pytest.raises(TrainingError, match=said):
        member_recipes(ENSEMBLE.but(members=members))


def test_choices_that_members_have_of_their_own_have_no_effect():
    assert without_effect(ENSEMBLE.but(seed=4, folds=3, crop_size=32, members="quick")) == ()
    assert without_effect(ENSEMBLE.but(epochs=3, weights="none")) == ("weights", "epochs")


def test_the_recipe_that_comes_along_can_be_trained():
    assert "ensemble" in recipe_names()
    assert len(member_recipes(ENSEMBLE)) >= 2
    assert without_effect(ENSEMBLE) == ()
