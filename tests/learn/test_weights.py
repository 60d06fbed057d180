from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_cellstage.core.errors import WeightsError
from napari_cellstage.learn import weights as rooms
from napari_cellstage.learn.download import DownloadError
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.networks import first_conv, make_network
from napari_cellstage.learn.torch_start import torchvision
from napari_cellstage.learn.weights import read_weights, start_weights, weights_at_hand

NAME = "mobilenet_v3_small"


def never() -> bool:
    return False


def start(network, weights: str, run) -> tuple[str, list[str]]:
    events, which = run(start_weights(network, NAME, weights, never))
    return which, [e.text for e in events if isinstance(e, Note)]


@pytest.fixture
def original() -> torch.nn.Module:
    torch.manual_seed(3)
    return torchvision.models.get_model(NAME, weights=None)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> Path:
    """Return a folder that torch.hub takes for its own, empty."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


def same_body(network, original) -> bool:
    """Compare a layer in the middle."""
    key = "features.5.block.0.0.weight"
    return torch.equal(network.backbone.state_dict()[key], original.state_dict()[key])


def test_from_scratch(run):
    which, notes = start(make_network(NAME, 1, 2), "none", run)
    assert which == "from scratch"
    assert notes == [f"{NAME} starts from scratch, as chosen."]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_file_of_the_users(original, tmp_path: Path, run, suffix: str, channels: int):
    file = tmp_path / f"my weights{suffix}"
    state = original.state_dict()
    save_file(state, file) if suffix == ".safetensors" else torch.save({"state_dict": state}, file)
    network = make_network(NAME, channels, 5)
    which, notes = start(network, str(file), run)
    assert which == str(file)
    assert notes[0].startswith(f"{NAME} starts from '{file}', which gave ")
    assert same_body(network, original)
    stem, pretrained = first_conv(network.backbone)[1].weight, state["features.0.0.weight"]
    assert torch.allclose(stem.sum((1, 2, 3)), pretrained.sum((1, 2, 3)), atol=1e-5)


def test_a_run_folder_of_ours(original, tmp_path: Path, run):
    save_file({f"backbone.{k}": v for k, v in original.state_dict().items()}, tmp_path / "weights.safetensors")
    network = make_network(NAME, 3, 2)
    start(network, str(tmp_path), run)
    assert same_body(network, original)


def test_imagenet_weights_from_the_cache(original, cache: Path, run):
    cache.mkdir()
    url = torchvision.models.get_model_weights(NAME).DEFAULT.url
    torch.save(original.state_dict(), cache / url.rpartition("/")[2])
    assert weights_at_hand(NAME) == cache / url.rpartition("/")[2]
    network = make_network(NAME, 2, 2)
    which, notes = start(network, "imagenet", run)
    assert which.startswith("ImageNet (mobilenet_v3_small-")
    assert "starts from ImageNet weights" in notes[0]
    assert same_body(network, original)


@pytest.mark.parametrize("channels", [1, 3])
def test_fastais_network_takes_those_of_its_body(cache: Path, run, channels: int):
    torch.manual_seed(3)
    original = torchvision.models.resnet34(weights=None)
    cache.mkdir()
    url = torchvision.models.get_model_weights("resnet34").DEFAULT.url
    torch.save(original.state_dict(), cache / url.rpartition("/")[2])
    network = make_network("fastai-resnet34", channels, 2)
    head = {name: value.clone() for name, value in network.backbone.fc.state_dict().items()}
    events, which = run(start_weights(network, "fastai-resnet34", "imagenet", never))
    assert which.startswith("ImageNet (resnet34-")
    assert "fastai-resnet34 starts from ImageNet weights" in events[0].text
    for name, value in original.state_dict().items():
        if name != "conv1.weight" and not name.startswith("fc."):
            assert torch.equal(network.backbone.state_dict()[name], value), name
    stem = network.backbone.conv1.weight
    assert torch.allclose(stem.sum((1, 2, 3)), original.conv1.weight.sum((1, 2, 3)), atol=1e-4)
    assert all(torch.equal(network.backbone.fc.state_dict()[name], value) for name, value in head.items())


@pytest.mark.parametrize("name", ["deepflow", "layers"])
def test_networks_without_imagenet_weights_say_so(run, name: str):
    events, which = run(start_weights(make_network(name, 1, 2), name, "imagenet", never))
    assert which == "from scratch"
    assert events[0].text == f"There are no ImageNet weights for {name}, so it starts from scratch."
    assert weights_at_hand(name) is None


def test_imagenet_weights_are_fetched(original, cache: Path, run, monkeypatch):
    def fetch(url, file, what, should_stop):
        file.parent.mkdir(parents=True)
        torch.save(original.state_dict(), file)
        yield Note(what)

    monkeypatch.setattr(rooms, "download", fetch)
    network = make_network(NAME, 1, 2)
    which, notes = start(network, "imagenet", run)
    assert which.startswith("ImageNet (")
    assert notes[0] == f"downloading {NAME}"
    assert same_body(network, original)


def test_no_network_means_from_scratch_and_says_so(cache: Path, run, monkeypatch):
    def fail(*_):
        raise DownloadError("no download: no network")
        yield

    monkeypatch.setattr(rooms, "download", fail)
    which, notes = start(make_network(NAME, 1, 2), "imagenet", run)
    assert which == "from scratch"
    assert notes == [f"ImageNet weights for {NAME} can't be had (no download: no network), so it starts from scratch."]


def test_a_damaged_cache_means_from_scratch_and_says_so(cache: Path, run):
    cache.mkdir()
    file = cache / torchvision.models.get_model_weights(NAME).DEFAULT.url.rpartition("/")[2]
    file.write_bytes(b"half of a file")
    which, notes = start(make_network(NAME, 1, 2), "imagenet", run)
    assert which == "from scratch"
    assert str(file) in notes[0]


class Trap:
    """Runs code when unpickled."""

    def __reduce__(self):
        return (os.mkdir, (os.environ["CELLSTAGE_TRAP"],))


def test_a_file_that_could_run_code_is_not_loaded(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("CELLSTAGE_TRAP", str(tmp_path / "sprung"))
    file = tmp_path / "trap.pth"
    torch.save({"state_dict": Trap()}, file)
    with pytest.raises(WeightsError, match=r"trap.pth' is damaged, or holds more than numbers, which could run code"):
        read_weights(file)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_damaged_file(tmp_path: Path, suffix: str):
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match=rf"weights{suffix}' is damaged"):
        read_weights(file)


def test_a_file_without_tensors(tmp_path: Path):
    file = tmp_path / "list.pth"
    torch.save([1, 2], file)
    with pytest.raises(WeightsError, match=r"holds no named tensors. Save the network's state_dict"):
        read_weights(file)


def test_a_file_that_is_not_there():
    with pytest.raises(WeightsError, match=r"no weights file 'here/not.pth'. Give a .safetensors or .pth file"):
        read_weights(Path("here/not.pth"))


def test_another_networks_weights(tmp_path: Path, run):
    file = tmp_path / "resnet.safetensors"
    save_file(torchvision.models.resnet18(weights=None).state_dict(), file)
    with pytest.raises(WeightsError, match=r"fit 0% of this network: they are another network's. Choose"):
        start(make_network(NAME, 1, 2), str(file), run)
