from __future__ import annotations

import subprocess
import sys

import pytest

from napari_cellstage.learn import torch_start


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bind libraries otherwise")
def test_triton_is_loaded_before_torchvision_and_the_flags_are_put_back():
    code = (
        "import sys; before = sys.getdlopenflags(); order = []\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('triton._C.libtriton', 'torchvision'): order.append((name, sys.getdlopenflags()))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import napari_cellstage.learn.torch_start\n"
        "print([name for name, _ in order], order[0][1] != before, order[-1][1] == before == sys.getdlopenflags())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    order = "['triton._C.libtriton', 'torchvision'] True True"
    without_triton = not torch_start.load_triton_bound_to_itself()
    assert without_triton or done.stdout.strip() == order


def test_a_torchvision_of_another_build_is_named():
    code = (
        "import sys\n"
        "class Wrong:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torchvision': raise RuntimeError('operator torchvision::nms does not exist')\n"
        "sys.meta_path.insert(0, Wrong())\n"
        "import napari_cellstage.learn.torch_start"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "torchvision does not belong to the installed torch" in done.stderr
    assert "operator torchvision::nms does not exist. Install both again" in done.stderr


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert torch_start.load_triton_bound_to_itself() is False
