from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.recipe import Recipe, recipe_names


def test_the_named_recipes_are_there():
    assert {"quick", "finetune"} <= set(recipe_names())
    assert Recipe.load("finetune").kind == "finetune"
    assert Recipe.load("finetune").network == "resnet34"
    assert Recipe.load("quick").kind == "quick"


def test_every_choice_has_a_tip_and_numbers_have_limits():
    for one in fields(Recipe):
        assert one.metadata["tip"].endswith("."), one.name
        if type(one.default) in (int, float):
            assert one.metadata["min"] <= one.default <= one.metadata["max"], one.name


def test_to_dict_comes_back():
    recipe = Recipe.load("finetune").but(epochs=3, seed=7)
    assert Recipe().but(**recipe.to_dict()) == recipe


def test_a_recipe_from_a_file(tmp_path: Path):
    file = tmp_path / "mine ü.toml"
    file.write_text('kind = "finetune"\nlearning_rate = 1\n', encoding="utf-8")
    assert Recipe.load(str(file)).learning_rate == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"batch_size": 1}, "batch_size is 1, but must be from 2 to 4096"),
        ({"learning_rate": float("nan")}, "learning_rate is nan, but must be from"),
        ({"epochs": "ten"}, "epochs is 'ten', but must be a whole number"),
        ({"epochs": True}, "epochs is True, but must be a whole number"),
        ({"flip": 1}, "flip is 1, but must be true or false"),
        ({"noise": "much"}, "noise is 'much', but must be a number"),
        ({"network": 34}, "network is 34, but must be a text"),
        ({"kind": "slow"}, "kind is 'slow', but must be one of quick, finetune"),
        ({"sharpness": 1}, "A recipe has no choice 'sharpness'. It has: name, about, kind"),
    ],
)
def test_a_choice_that_can_not_be(changes: dict, text: str):
    with pytest.raises(TrainingError, match=text.replace("(", r"\(")):
        Recipe().but(**changes)


def test_a_recipe_that_is_not_there():
    with pytest.raises(TrainingError, match=r"no recipe 'slow'. Choose one of .*finetune.*, or give a .toml file"):
        Recipe.load("slow")


def test_a_recipe_file_that_can_not_be_read(tmp_path: Path):
    file = tmp_path / "broken.toml"
    file.write_text("epochs = = 3", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"broken.toml' can't be read: .*line 1.*Mend that line"):
        Recipe.load(str(file))
    file.write_bytes('about = "Zelle im Über'.encode("latin-1"))
    with pytest.raises(TrainingError, match=r"broken.toml' is no text in UTF-8: .*Save it as UTF-8"):
        Recipe.load(str(file))


def test_what_a_dock_may_import_loads_no_torch():
    names = ("recipe", "events", "data", "model", "fit", "predict", "device")
    code = "import sys; " + "".join(f"import napari_cellstage.learn.{n}; " for n in names)
    code += "print([m for m in ('torch', 'torchvision', 'qtpy', 'napari') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
