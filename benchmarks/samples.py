"""How long the synthetic samples take to draw."""

from __future__ import annotations

import os

from benchmarks.table import Row, seconds
from napari_cellstage.sample_microtubules import DOSES, microtubule_crops, microtubule_field
from napari_cellstage.sample_photographs import WIDTH_8_MEGAPIXELS, photograph_crops, photograph_field

PER_CLASS, TARGET = 1100, 60
PHOTOGRAPHS = 40


def rows() -> list[Row]:
    took = seconds(lambda: microtubule_crops(PER_CLASS))
    what = f"{PER_CLASS:,} synthetic microtubule crops in each of {len(DOSES)} classes, {os.cpu_count()} processors"
    return [Row(what, f"{took:.0f} s", f"<= {TARGET} s", took <= TARGET), *_others()]


def _others() -> list[Row]:
    crops = seconds(lambda: photograph_crops(PHOTOGRAPHS)) / (5 * PHOTOGRAPHS)
    return [
        Row("a synthetic crop of a photograph", f"{crops * 1000:.0f} ms", ""),
        Row("a synthetic field of 18 cells of microtubules", f"{seconds(microtubule_field):.1f} s", ""),
        Row("a synthetic photograph", f"{seconds(photograph_field):.1f} s", ""),
        Row("the same with 8 megapixels", f"{seconds(lambda: photograph_field(width=WIDTH_8_MEGAPIXELS)):.1f} s", ""),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
