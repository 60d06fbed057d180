from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_cellstage.core.errors import ModelError, WeightsError
from napari_cellstage.core.feature_cache import cell_keys
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.frozen import FrozenNetwork, frozen_network
from napari_cellstage.learn.measure import pretrained_at_hand
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torchvision

NAME = "mobilenet_v3_small"
CROPS = np.random.default_rng(0).random((5, 2, 24, 24), dtype=np.float32)


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return dict(torchvision.models.get_model(NAME, weights=None).state_dict())


@pytest.fixture
def weights(tensors, tmp_path: Path) -> Path:
    save_file(tensors, tmp_path / "own.safetensors")
    return tmp_path / "own.safetensors"


@pytest.fixture
def recipe(weights: Path) -> Recipe:
    return Recipe.load("quick").but(network=NAME, weights=str(weights), threads=1, device="cpu")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch) -> Path:
    """Return the empty folder in which fetched ImageNet weights are looked for."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_features_are_the_same_every_time_and_survive_arrays(recipe, weights):
    network = FrozenNetwork.from_file(recipe, weights, 2)
    features = network.features(CROPS, recipe)
    assert features.shape == (5, 1024)
    assert np.ptp(features, axis=0).max() > 0
    again = FrozenNetwork.from_file(recipe, weights, 2)
    copied = FrozenNetwork.from_arrays(network.arrays(), NAME, "", 2)
    assert network.key == again.key == copied.key
    assert np.allclose(features, again.features(CROPS, recipe))
    assert np.allclose(features, copied.features(CROPS, recipe))


def test_a_cell_does_not_depend_on_its_neighbours_in_the_batch(recipe, weights):
    network = FrozenNetwork.from_file(recipe, weights, 2)
    assert np.allclose(network.features(CROPS, recipe)[3], network.features(CROPS[3:4], recipe)[0], atol=1e-4)


def test_other_weights_have_another_key(recipe, weights, tensors):
    before = FrozenNetwork.from_file(recipe, weights, 2).key
    tensors["features.5.block.0.0.weight"] += 1
    save_file(tensors, weights)
    after = FrozenNetwork.from_file(recipe, weights, 2).key
    assert before != after
    keys = [cell_keys(CROPS, None, Normalisation("crop"), key) for key in (before, after)]
    assert not set(keys[0]) & set(keys[1])


def test_a_quick_model_with_a_frozen_network_needs_no_other_file(data, recipe, weights, run, tmp_path):
    events, model = run(fit(data, recipe))
    assert any("frozen mobilenet_v3_small (own.safetensors)" in e.text for e in events if isinstance(e, Note))
    assert "frozen mobilenet_v3_small" in model.card["started_from"]
    plain = run(fit(data, recipe.but(weights="none")))[1]
    assert len(model.arrays["linear.mean"]) == len(plain.arrays["linear.mean"]) + 1024
    _, before = run(predict(model, data.crops))
    model.save(tmp_path / "run")
    weights.unlink()
    _, after = run(predict(TrainedModel.load(tmp_path / "run"), data.crops))
    assert np.allclose(before, after, atol=1e-5)
    assert model.scores.accuracy > 0.8


def test_imagenet_weights_are_used_only_when_fetched_before(recipe, weights, tensors, hub):
    recipe = recipe.but(weights="imagenet")
    assert not pretrained_at_hand(recipe)
    assert frozen_network(recipe, 2) is None
    torch.save(tensors, hub / torchvision.models.get_model_weights(NAME).DEFAULT.url.rpartition("/")[2])
    assert pretrained_at_hand(recipe)
    found = frozen_network(recipe, 2)
    assert found is not None
    assert found.key == FrozenNetwork.from_file(recipe, weights, 2).key


def test_weights_of_another_network_do_not_count(recipe, hub):
    (hub / "resnet34-b627a593.pth").write_bytes(b"")
    assert not pretrained_at_hand(recipe.but(weights="imagenet"))
    assert pretrained_at_hand(recipe.but(weights="imagenet", network="resnet34"))


def test_from_scratch_has_no_network_beside(recipe):
    assert not pretrained_at_hand(recipe.but(weights="none"))
    assert frozen_network(recipe.but(weights="none"), 1) is None


def test_a_named_file_that_is_not_there_is_said(data, recipe, run):
    with pytest.raises(WeightsError, match=r"There is no weights file .*missing\.pth"):
        run(fit(data, recipe.but(weights="missing.pth")))


def test_arrays_of_another_network_are_said(recipe, weights):
    arrays = FrozenNetwork.from_file(recipe, weights, 2).arrays()
    with pytest.raises(ModelError, match=r"frozen resnet18 can't be built.*Train a new model"):
        FrozenNetwork.from_arrays(arrays, "resnet18", "", 2)


def test_fastais_head_is_left_out_as_it_was_not_pretrained(recipe, tmp_path, hub):
    original = torchvision.models.resnet34(weights=None)
    torch.save(original.state_dict(), hub / torchvision.models.get_model_weights("resnet34").DEFAULT.url.split("/")[-1])
    recipe = recipe.but(network="fastai-resnet34", weights="imagenet")
    assert pretrained_at_hand(recipe)
    found = frozen_network(recipe, 2)
    assert found.features(CROPS, recipe).shape == (5, 1024)
    copied = FrozenNetwork.from_arrays(found.arrays(), "fastai-resnet34", "", 2)
    assert np.allclose(copied.features(CROPS, recipe), found.features(CROPS, recipe))


@pytest.mark.parametrize("network", ["layers", "deepflow"])
def test_networks_without_imagenet_weights_give_no_features(recipe, network, hub):
    assert not pretrained_at_hand(recipe.but(network=network, weights="imagenet"))
    assert frozen_network(recipe.but(network=network, weights="imagenet"), 1) is None


def test_a_network_for_one_size_of_picture_gives_no_features(recipe):
    assert frozen_network(recipe.but(network="layers"), 2) is None


def test_large_crops_are_reduced(recipe, weights):
    network = FrozenNetwork.from_file(recipe, weights, 1)
    assert network.features(np.ones((1, 1, 300, 200), dtype=np.float32), recipe).shape == (1, 1024)
