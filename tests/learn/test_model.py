from __future__ import annotations

import json
import pickletools
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED
from napari_cellstage.core.scoring.scores import score
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe

ARRAYS = {"coefficients": np.arange(12, dtype=np.float32).reshape(3, 4), "offsets": np.array([1.5, 2, 3])}


@pytest.fixture
def model(data) -> TrainedModel:
    recipe = Recipe(device="cpu", threads=3)
    held_out = data.held_out(recipe)
    scores = score(data.labels[held_out], data.labels[held_out], data.classes.names)
    normalisation = Normalisation.of(data.crops)
    return TrainedModel.of(data, recipe, normalisation, held_out, scores, arrays=ARRAYS, started_from="somewhere")


def test_a_model_comes_back_from_disk(model: TrainedModel, tmp_path: Path):
    folder = tmp_path / "run 1 ü"
    model.save(folder)
    loaded = TrainedModel.load(folder)
    assert loaded.classes == model.classes
    assert loaded.normalisation == model.normalisation
    assert loaded.scores is not None
    assert loaded.scores.to_dict() == model.scores.to_dict()
    assert loaded.card == json.loads(json.dumps(model.card))
    assert all((loaded.arrays[k] == v).all() and loaded.arrays[k].dtype == v.dtype for k, v in ARRAYS.items())
    assert loaded.booster is None
    assert (loaded.kind, loaded.channel_count, loaded.crop_size) == ("quick", 2, 24)


def test_device_and_threads_do_not_travel(model: TrainedModel, tmp_path: Path):
    model.save(tmp_path)
    assert TrainedModel.load(tmp_path).recipe == model.recipe.but(device="auto", threads=0)


def test_the_card_says_what_a_reader_needs(model: TrainedModel):
    for key in ("classes", "channels", "crop_size", "normalisation", "recipe", "split", "seed", "versions", "scores"):
        assert key in model.card
    assert model.card["started_from"] == "somewhere"
    assert model.card["classes"]["classes"][0] == {"id": 1, "name": "a", "color": "#56b4e9"}
    assert {"numpy", "torch", "napari-cellstage"} <= set(model.card["versions"])


def test_parts_of_cells(model: TrainedModel, data):
    first_held = data.names[int(np.flatnonzero(model.held_out)[0])]
    first_trained = data.names[int(np.flatnonzero(~model.held_out)[0])]
    assert model.parts([first_held, "never seen", first_trained]).tolist() == [HELD_OUT, NEITHER, TRAINED]


def test_a_booster_comes_back(model: TrainedModel, data, tmp_path: Path):
    booster = b"{L\x00 ubjson"
    made = TrainedModel.of(data, model.recipe, model.normalisation, model.held_out, None, booster=booster)
    made.save(tmp_path)
    loaded = TrainedModel.load(tmp_path)
    assert loaded.booster == booster
    assert loaded.arrays == {}
    assert loaded.scores is None


def test_a_model_takes_the_place_of_the_one_before(model: TrainedModel, data, tmp_path: Path):
    trees = TrainedModel.of(data, model.recipe, model.normalisation, model.held_out, None, booster=b"trees")
    trees.save(tmp_path)
    model.save(tmp_path)
    assert TrainedModel.load(tmp_path).booster is None  # else the trees would go on answering
    trees.save(tmp_path)
    assert TrainedModel.load(tmp_path).arrays == {}


def test_nothing_on_disk_is_a_pickle(model: TrainedModel, tmp_path: Path):
    model.save(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["card.json", "weights.safetensors"]
    for file in tmp_path.iterdir():
        with pytest.raises((ValueError, IndexError)):
            list(pickletools.genops(file.read_bytes()))


def test_another_channel_count_is_refused(model: TrainedModel):
    model.check_channels(2)
    text = r"looks at 2 channels \(channel 0, channel 1\), but 1 was given. Choose as many channels"
    with pytest.raises(ModelError, match=text):
        model.check_channels(1)


def rewritten(folder: Path, **changes) -> None:
    card = json.loads((folder / "card.json").read_text("utf-8"))
    for key, value in changes.items():
        if value is None:
            del card[key]
        else:
            card[key] = value
    (folder / "card.json").write_text(json.dumps(card), "utf-8")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"format": 99}, "is of format 99, this version reads up to 1. Update napari-cellstage"),
        ({"format": "new"}, "is no model card. Choose a folder that a training made"),
        ({"classes": None}, "'classes' is missing. Copy the run folder again"),
        ({"channels": 3}, "can't be used"),
        ({"channels": [0]}, "its normalisation is for 2 channels, but it has 1"),
        ({"normalisation": {"mode": "log", "low": [], "high": []}}, "normalisation 'log' is unknown"),
        ({"recipe": {"future": 1}}, "A recipe has no choice 'future'"),
        ({"split": {"trained": 3, "held_out": []}}, "its split is no list of names"),
        ({"scores": {"accuracy": 1}}, "can't be used"),
        ({"crop_size": "wide"}, "can't be used"),
    ],
)
def test_a_card_that_can_not_be_used(model: TrainedModel, tmp_path: Path, changes: dict, text: str):
    model.save(tmp_path)
    rewritten(tmp_path, **changes)
    with pytest.raises(ModelError, match=text):
        TrainedModel.load(tmp_path)


def test_a_folder_without_a_model(tmp_path: Path):
    with pytest.raises(ModelError, match=r"no model in .*card.json is missing. Choose a folder that a training made"):
        TrainedModel.load(tmp_path)


def test_a_model_of_stains_is_refused(tmp_path: Path):
    (tmp_path / "card.json").write_text(json.dumps({"format": 1, "kind": "stain", "stain_names": ["DNA"]}))
    with pytest.raises(ModelError, match="predicts a stain"):
        TrainedModel.load(tmp_path)


def test_a_card_cut_short(model: TrainedModel, tmp_path: Path):
    model.save(tmp_path)
    text = (tmp_path / "card.json").read_text("utf-8")
    (tmp_path / "card.json").write_text(text[: len(text) // 2], "utf-8")
    with pytest.raises(ModelError, match=r"card.json' can't be read"):
        TrainedModel.load(tmp_path)


def test_weights_cut_short_or_gone(model: TrainedModel, tmp_path: Path):
    model.save(tmp_path)
    file = tmp_path / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ModelError, match=r"weights.safetensors' is damaged or cut short"):
        TrainedModel.load(tmp_path)
    file.unlink()
    with pytest.raises(ModelError, match=r"has a card but no weights.safetensors or head.ubj. Copy the whole"):
        TrainedModel.load(tmp_path)


def test_a_place_that_can_not_be_written(model: TrainedModel, tmp_path: Path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ModelError, match=r"can't be saved in .*Make room, or choose another place"):
        model.save(tmp_path / "file" / "run")


def test_a_card_from_before_crops_could_be_chosen_is_read_as_crops_in_pixels(model: TrainedModel, tmp_path: Path):
    model.save(tmp_path)
    new = {"crop", "crop_um", "margin", "surroundings", "planes", "planes_count", "fixed_low", "fixed_high"}
    rewritten(tmp_path, recipe={k: v for k, v in model.card["recipe"].items() if k not in new})
    loaded = TrainedModel.load(tmp_path)
    assert (loaded.cutting.crop, loaded.cutting.planes, loaded.cutting.crop_size) == ("pixels", "nearest", 24)
    assert loaded.input_count == 2
