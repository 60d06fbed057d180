from __future__ import annotations

import subprocess
import threading

import pytest
import torch

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn import device as room
from napari_cellstage.learn.device import DeviceInfo, choose_device, cpu_threads, half_precision, thread_count
from napari_cellstage.learn.networks import make_network


def pretend(monkeypatch, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_fastest(monkeypatch, cuda: bool, mps: bool, best: str):
    pretend(monkeypatch, cuda, mps)
    assert choose_device().type == best
    assert choose_device("cpu").type == "cpu"


def test_a_device_that_is_not_there(monkeypatch):
    pretend(monkeypatch, False, False)
    with pytest.raises(TrainingError, match=r"Device 'cuda' is not there; this machine has cpu. Choose 'auto'"):
        choose_device("cuda")


def test_a_graphics_card_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Card 9000")
    assert room.describe(torch.device("cuda")).text == "GPU: Card 9000"
    assert room.describe(torch.device("mps")).device == "mps"


def test_the_device_is_told_by_another_process():
    done = subprocess.run(room.probe_command(), capture_output=True, text=True, check=True)
    info = DeviceInfo.from_json(done.stdout)
    assert info == room.describe(choose_device())
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("line", ["", "Traceback", '{"device": "cpu"}', "[1]"])
def test_an_answer_that_is_none(line: str):
    with pytest.raises(TrainingError, match=r"device can't be told from .*Check that torch is installed"):
        DeviceInfo.from_json(line)


def test_a_worker_thread_leaves_a_core_to_the_viewer(monkeypatch):
    monkeypatch.setattr(room, "cpu_count", lambda: 4)
    counts = []
    worker = threading.Thread(target=lambda: counts.extend([thread_count(), thread_count(2)]))
    worker.start()
    worker.join()
    assert counts == [3, 2]
    assert thread_count() == 4
    monkeypatch.setattr(room, "cpu_count", lambda: 1)
    assert thread_count() == 1


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with cpu_threads(before + 1) as now:
        assert torch.get_num_threads() == now == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("network", "able", "precision", "wanted"),
    [
        ("resnet18", {"avx512_bf16": True}, "auto", torch.bfloat16),
        ("resnet18", {"amx_bf16": True}, "auto", torch.bfloat16),
        ("resnet18", {"avx512_bf16": True}, "full", None),
        ("resnet18", {"avx2": True}, "auto", None),
        ("mobilenet_v3_small", {"avx512_bf16": True}, "auto", None),
    ],
)
def test_precision_on_a_cpu(monkeypatch, network: str, able: dict, precision: str, wanted):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert half_precision(torch.device("cpu"), make_network(network, 1, 2), precision) is wanted


def test_volumes_are_computed_in_full_on_a_cpu(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert half_precision(torch.device("cpu"), torch.nn.Conv2d(1, 1, 3)) is torch.bfloat16
    assert half_precision(torch.device("cpu"), torch.nn.Conv3d(1, 1, 3)) is None


@pytest.mark.parametrize(("modern", "wanted"), [(True, torch.bfloat16), (False, torch.float16)])
def test_precision_on_a_graphics_card(monkeypatch, modern: bool, wanted):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: modern)
    assert half_precision(torch.device("cuda"), make_network("mobilenet_v3_small", 1, 2)) is wanted


def test_an_older_torch_that_can_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert half_precision(torch.device("cpu"), make_network("resnet18", 1, 2)) is None
