"""A model of stains on disk: it comes back whole, or says what is wrong."""

from __future__ import annotations

import json

import pytest

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.card import regions_of, split_values
from napari_cellstage.stain.fit import fit_stain
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.splits import split_pairs


@pytest.fixture
def model(make_pairs) -> StainModel:
    recipe = StainRecipe(filters=4, levels=2, epochs=1, patches=4, batch_size=4, members=2, threads=1, device="cpu")
    work = fit_stain(make_pairs(4, stains=2), recipe)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "run")
    return tmp_path / "run"


def change(folder, **values) -> None:
    file = folder / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_model_comes_back_from_disk(model, folder):
    back = StainModel.load(folder)
    assert (back.plan, back.scaling, back.calibration, back.card) == (
        model.plan, model.scaling, model.calibration, model.card,
    )  # fmt: skip
    assert (back.input_names, back.stain_names, back.members) == (("bright field",), ("DNA", "actin"), 2)
    x = torch.randn(1, 1, 32, 32)
    assert torch.equal(back.network()(x), model.network()(x))
    assert (back.recipe.threads, back.recipe.device, back.recipe.filters) == (0, "auto", 4)
    assert (back.familiar is None) == (model.familiar is None)


def test_nothing_on_disk_is_a_pickle(folder):
    assert sorted(one.name for one in folder.iterdir()) == ["card.json", "weights.safetensors"]
    card = json.loads((folder / "card.json").read_text())
    assert (card["kind"], card["format"]) == ("stain", 1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"format": 99}, "of format 99, this version reads up to 1"),
        ({"kind": "dream"}, "is of kind 'dream': it predicts no stain"),
        ({"kind": None, "classes": []}, "tells classes of cells apart"),
        ({"stain_names": ["DNA"]}, "scaling is for other channels"),
        ({"plan": {}}, "can't be used"),
        ({"recipe": {"wheels": 4}}, "no choice 'wheels'"),
        ({"members": 3}, "lacks some of its 3 networks"),
        ({"calibration": {"DNA": 1.0}}, "calibration is for other stains"),
    ],
)
def test_a_card_that_can_not_be_used(folder, changes, text):
    change(folder, **changes)
    with pytest.raises(ModelError, match=text):
        StainModel.load(folder)


def test_weights_gone_or_of_another_network(folder):
    change(folder, plan=json.loads((folder / "card.json").read_text())["plan"] | {"filters": 8})
    with pytest.raises(ModelError, match="do not fit its card"):
        StainModel.load(folder).network()
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has a card but no weights\.safetensors"):
        StainModel.load(folder)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"card\.json is missing"):
        StainModel.load(tmp_path)


def test_a_place_that_can_not_be_written(model, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ModelError, match="can't be saved"):
        model.save(tmp_path / "taken")


def test_regions_are_found_again_by_place_and_by_name(make_pairs):
    data = make_pairs(5)
    values = json.loads(json.dumps(split_values(data, split_pairs(data, 0.4, 0.2, 1))))
    held_out = regions_of(values, "held_out", data)
    assert len(held_out) == 2
    order = [4, 2, 0, 1, 3]
    shuffled = regions_of(values, "held_out", data.take(order))
    assert [order[one.pair] for one in shuffled] == [one.pair for one in held_out]
    assert regions_of(values, "held_out", data.take([one.pair for one in regions_of(values, "train", data)])) == ()
