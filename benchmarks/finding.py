"""How well nuclei are found by default settings, on fields with masks drawn by hand; trained networks beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.table import Row
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.segment import find_cells

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TARGET = 0.85
Find = Callable[[np.ndarray], np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]


def rows() -> list[Row]:
    if not DATA.is_dir():
        return [Row("detection F1 at IoU 0.5", f"no images at {DATA}", f">= {TARGET}")]
    score = mean_f1(found_by("otsu"), dsb2018())
    what = "detection F1 at IoU 0.5, mean of 16 dsb2018 fields, default settings"
    first = Row(what, f"{score:.3f}", f">= {TARGET}", score >= TARGET)
    return [first, *(_reported(name, pairs) for name, pairs in OTHERS.items()), *_networks()]


def detection_f1(truth: np.ndarray, found: np.ndarray) -> float:
    """Return F1 of nuclei found, where a match is an intersection over union above a half."""
    truth, found = (np.unique(one, return_inverse=True)[1].reshape(one.shape) for one in (truth, found))
    shape = (truth.max() + 1, found.max() + 1)
    shared = np.bincount((truth * shape[1] + found).ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    matched = (shared[1:, 1:] / np.maximum(union[1:, 1:], 1) > 0.5).sum()
    return float(2 * matched / max(1, sum(shape) - 2))


def mean_f1(find: Find, pairs: Iterator[Pair]) -> float:
    return float(np.mean([detection_f1(mask, find(image)) for image, mask in pairs]))


def found_by(method: str) -> Find:
    def find(image: np.ndarray) -> np.ndarray:
        try:
            return find_cells(image, SegmentSettings(method=method))
        except CellsError:
            return np.zeros(image.shape, dtype=np.int32)

    return find


def dsb2018() -> Iterator[Pair]:
    for mask in sorted((DATA / "fields" / "dsb2018").glob("*_labels.tif")):
        yield tifffile.imread(mask.with_name(mask.name.replace("_labels", ""))), tifffile.imread(mask)


def mitocheck() -> Iterator[Pair]:
    for time in ("t1", "t70"):
        file = DATA / "fields" / f"mitocheck_incenp_{time}.tif"
        yield tifffile.imread(file), tifffile.imread(file.with_name(f"{file.stem}_labels.tif"))


def stardist(dimensions: int) -> Iterator[Pair]:
    folder = DATA / "formats" / "stardist"
    yield tifffile.imread(folder / f"img{dimensions}d.tif"), tifffile.imread(folder / f"mask{dimensions}d.tif")


def noisy() -> Iterator[Pair]:
    """The 16 fields with noise of a quarter of their contrast: does what was found hang on single pixels?"""
    rng = np.random.default_rng(0)
    for image, mask in dsb2018():
        contrast = float(np.median(image[mask > 0])) - float(np.median(image[mask == 0]))
        yield (image + rng.normal(0, contrast / 4, image.shape)).astype(np.float32), mask


OTHERS: dict[str, Callable[[], Iterator[Pair]]] = {
    "the 16 fields with noise added": noisy,
    "two mitocheck fields, one of lobed nuclei": mitocheck,
    "StarDist's 2D field": lambda: stardist(2),
    "StarDist's 3D stack": lambda: stardist(3),
}


def _reported(name: str, pairs: Callable[[], Iterator[Pair]]) -> Row:
    return Row(f"detection F1, {name}, default settings", f"{mean_f1(found_by('otsu'), pairs()):.3f}", "")


def _networks() -> Iterator[Row]:
    """Cellpose and StarDist on the same fields, where they and their weights are there."""
    for method in METHODS.values():
        if not method.extra:
            continue
        what = f"detection F1, the 16 fields, {method.extra}"
        if not method.installed:
            yield Row(what, "not installed", "")
            continue
        try:
            yield Row(what, f"{mean_f1(_strict(method.name), dsb2018()):.3f}", "")
        except CellsError as error:
            yield Row(what, str(error).split(".")[0], "")


def _strict(method: str) -> Find:
    return lambda image: find_cells(image, SegmentSettings(method=method))


if __name__ == "__main__":
    for row in rows():
        print(row)
