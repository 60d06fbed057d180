"""A made OME-Zarr image of nuclei, of any size, written block by block; the same for the same seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

APART = 89  # one nucleus a square of so many pixels: 200,000 on 40,000 x 40,000
BLOCK, CHUNK = 2048, 1024
_REACH = 24


def made_image(folder: Path, side: int, seed: int = 0) -> Path:
    """Write ``side`` x ``side`` uint16 with one nucleus every `APART` pixels, and its pyramid; return the folder."""
    import zarr

    levels = 1
    while side >> (levels - 1) > CHUNK:
        levels += 1
    group = zarr.open_group(folder, mode="w")
    group.update_attributes({"ome": _metadata(levels)})
    arrays = [_level(group, level, -(-side // 2**level)) for level in range(levels)]
    noise = np.random.default_rng(seed).normal(200, 12, (BLOCK + CHUNK, BLOCK + CHUNK)).astype(np.float32)
    for top in range(0, side, BLOCK):
        for left in range(0, side, BLOCK):
            height, width = min(BLOCK, side - top), min(BLOCK, side - left)
            block = _block(top, left, height, width, seed, noise)
            for level, array in enumerate(arrays):
                part = block[:: 2**level, :: 2**level]
                y, x = top >> level, left >> level
                array[0, 0, 0, y : y + part.shape[0], x : x + part.shape[1]] = part
    return folder


def _level(group: Any, level: int, side: int) -> Any:
    from zarr.codecs import BloscCodec

    chunk = min(CHUNK, side)
    return group.create_array(
        str(level), shape=(1, 1, 1, side, side), chunks=(1, 1, 1, chunk, chunk), dtype="uint16",
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), dimension_names=list("tczyx"),
    )  # fmt: skip


def _metadata(levels: int) -> dict[str, Any]:
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    data = [
        {
            "path": str(level),
            "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1, 0.5 * 2**level, 0.5 * 2**level]}],
        }
        for level in range(levels)
    ]
    return {"version": "0.5", "multiscales": [{"name": "made", "axes": axes, "datasets": data}]}


def _block(top: int, left: int, height: int, width: int, seed: int, noise: NDArray[np.float32]) -> NDArray[np.uint16]:
    y0, x0 = np.random.default_rng((seed, top, left)).integers(0, CHUNK, 2)
    block = noise[y0 : y0 + height, x0 : x0 + width].copy()
    reach = _REACH
    for row in range(max(0, (top - 2 * reach) // APART), (top + height + 2 * reach) // APART + 1):
        for column in range(max(0, (left - 2 * reach) // APART), (left + width + 2 * reach) // APART + 1):
            _add_nucleus(block, row, column, top, left, seed)
    return np.clip(block, 0, 65535).astype(np.uint16)


def _add_nucleus(block: NDArray[np.float32], row: int, column: int, top: int, left: int, seed: int) -> None:
    rng = np.random.default_rng((seed, row, column))
    y, x = (np.array((row, column)) + 0.5) * APART + rng.uniform(-20, 20, 2) - (top, left)
    long, short = rng.uniform(10, 17), rng.uniform(8, 12)
    angle, light = rng.uniform(0, np.pi), rng.uniform(400, 2500)
    first, begin = max(0, int(y) - _REACH), max(0, int(x) - _REACH)
    part = block[first : max(0, int(y) + _REACH), begin : max(0, int(x) + _REACH)]
    if not part.size:
        return
    dy = np.arange(first, first + part.shape[0])[:, None] - y
    dx = np.arange(begin, begin + part.shape[1])[None] - x
    u, v = dy * np.cos(angle) + dx * np.sin(angle), dx * np.cos(angle) - dy * np.sin(angle)
    part += light / (1 + np.exp(8 * (np.sqrt((u / long) ** 2 + (v / short) ** 2) - 1)))
