"""Cellpose and StarDist, with stand-ins of their modules that take the same calls."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding import by_cellpose, by_stardist
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import from_array
from napari_cellstage.core.segment import find_cells, find_cells_in_stack


class Network:
    """Finds what is above a half of the range it is given."""

    asked: list[dict[str, Any]]
    thresholds = SimpleNamespace(prob=0.5, nms=0.4)

    def __init__(self, *args: object, **details: object) -> None:
        if details.get("pretrained_model") == "nowhere" or details.get("name") == "broken":
            raise OSError("no route to host")
        self.asked = []
        self.made = (args, details)

    @classmethod
    def from_pretrained(cls, name: str) -> Network | None:
        return None if name == "unknown" else cls(name)

    def eval(self, pixels: np.ndarray, **options: Any) -> tuple[np.ndarray, list[Any], list[Any]]:
        self.asked.append(options)
        if pixels.max() > 100:
            raise RuntimeError("out of memory")
        return ndimage.label(pixels > 0.5)[0].astype(np.uint16), [], []

    def predict_instances(self, pixels: np.ndarray, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        labels, *_ = self.eval(pixels, **options)
        return labels, {}


def finished(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, classes in (("cellpose", ("CellposeModel",)), ("stardist", ("StarDist2D", "StarDist3D"))):
        package, models = ModuleType(name), ModuleType(f"{name}.models")
        for each in classes:
            setattr(models, each, type(each, (Network,), {}))
        package.models = models  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, package)
        monkeypatch.setitem(sys.modules, f"{name}.models", models)
    by_cellpose.loaded.cache_clear()
    by_stardist.loaded.cache_clear()


def image(depth: int = 0) -> np.ndarray:
    shape = (depth, 60, 64) if depth else (60, 64)
    pixels = np.random.default_rng(0).normal(100, 2, shape)
    pixels[..., 10:25, 10:25] += 500
    pixels[..., 35:50, 30:45] += 600
    return pixels


@pytest.mark.parametrize("name", ["cellpose", "stardist"])
@pytest.mark.parametrize("depth", [0, 5])
def test_a_network_finds_cells_like_any_method(name: str, depth: int) -> None:
    labels = find_cells(image(depth), SegmentSettings(method=name))
    assert labels.dtype == np.int32
    assert labels.max() == 2
    stack = from_array(image(depth), "ZYX" if depth else "YX", "one")
    assert np.asarray(finished(find_cells_in_stack(stack, SegmentSettings(method=name)))).max() == 2


def test_cellpose_is_asked_as_it_wants_to_be() -> None:
    settings = SegmentSettings(method="cellpose", diameter=15, sensitivity=2.0, z_ratio=3.0)
    find_cells(image(5), settings)
    network = by_cellpose.loaded("")
    assert network.made == ((), {"gpu": True, "pretrained_model": "cpsam"})
    assert network.asked == [
        {
            "normalize": False,
            "diameter": 15,
            "cellprob_threshold": -1.0,
            "do_3D": True,
            "z_axis": 0,
            "anisotropy": 3.0,
        }
    ]


def test_stardist_is_asked_as_it_wants_to_be(tmp_path: Path) -> None:
    find_cells(image(), SegmentSettings(method="stardist", sensitivity=2.0))
    network = by_stardist.loaded("", 2)
    assert network.made == (("2D_versatile_fluo",), {})
    assert network.asked == [{"axes": "YX", "prob_thresh": 0.25, "n_tiles": (1, 1), "show_tile_progress": False}]
    own = tmp_path / "mine"
    own.mkdir()
    find_cells(image(4), SegmentSettings(method="stardist", model=str(own)))
    assert by_stardist.loaded(str(own), 3).made == ((None,), {"name": "mine", "basedir": str(tmp_path)})


@pytest.mark.parametrize("name", ["cellpose", "stardist"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, name)
    if METHODS[name].installed:
        pytest.skip(f"{name} is installed here")
    with pytest.raises(CellsError, match=rf"{name} is not installed. .*pip install 'napari-cellstage\[{name}\]'"):
        find_cells(image(), SegmentSettings(method=name))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"method": "cellpose", "model": "nowhere"},
            "Cellpose's network 'nowhere' can't be loaded: no route to host",
        ),
        ({"method": "cellpose", "model": "/no/such"}, "There is no model at '/no/such'. Give the file or folder"),
        ({"method": "stardist", "model": "unknown"}, "StarDist has no network 'unknown' for 2D"),
        ({"method": "stardist", "model": "no/such"}, "There is no model at 'no/such'"),
    ],
)
def test_networks_that_are_not_there_are_told(settings: dict[str, str], text: str) -> None:
    with pytest.raises(CellsError, match=text):
        find_cells(image(), SegmentSettings(**settings))  # type: ignore[arg-type]


def test_a_folder_that_is_no_network_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    with pytest.raises(CellsError, match=r"broken' can't be loaded: no route.*config.json"):
        find_cells(image(), SegmentSettings(method="stardist", model=str(tmp_path / "broken")))


@pytest.mark.parametrize(("name", "text"), [("cellpose", "Cellpose could"), ("stardist", "StarDist could")])
def test_what_goes_wrong_in_a_network_is_a_sentence(name: str, text: str) -> None:
    bright = image()
    bright[0, 0] = 1e6
    with pytest.raises(CellsError, match=f"{text}.*out of memory"):
        find_cells(bright, SegmentSettings(method=name))
