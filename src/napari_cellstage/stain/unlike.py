"""Where an image is unlike those that a model of stains has learned from: local statistics against those of training.

A network predicts something for any picture. How far each place is from the places of the training data says where that
may be invented. A place is described by statistics of the scaled input, not by what the network makes of it: these
need no second pass, do not depend on how the image is cut, and change with brightness, focus, magnification and noise,
in which microscopes differ. Distances are those of `core.review.space`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.space import Space
from napari_cellstage.stain.fields import Field

if TYPE_CHECKING:
    from napari_cellstage.stain.pair import StainPair, StainSet
    from napari_cellstage.stain.scaling import Scaling
    from napari_cellstage.stain.splits import Region

Floats = NDArray[np.float32]
STEP = 16  # pixels of the model's size that a place is high and wide
BLOCK = 8  # places along the side of a square that counts as one group, where all places are of one group
TILE, MOST_TILES, MOST_PIXELS = 512, 300, 1 << 27  # what is looked at of the training data
MOST_PLACES, DIMS = 8000, 16
_LEVELS = 4  # 2 ** 4 is the step
_FLOOR = 1e-5  # of squared contrasts: what is under it is no contrast
_BYTES = 32 << 20


def unlike_map(field: Field, space: Space | None) -> Floats:
    """Return ``(ceil(h / 16), ceil(w / 16))``: over 1 where a field is unlike the training data.

    A place with pixels that are not finite is over 1 in any case; all others are NaN where there is no space.
    """
    statistics, bad = _measured(field)
    features = _features(statistics)
    found = np.full(bad.shape, np.nan, np.float32)
    if space is not None:
        found = space.unlike(space.embed(features.reshape(-1, features.shape[-1]))).reshape(bad.shape)
    return np.where(bad > 0, np.fmax(found, 1 + bad), found).astype(np.float32)


def learn_space(data: StainSet, regions: Sequence[Region], scaling: Scaling, seed: int = 0) -> Space:
    """Learn what places of the training data look like.

    Parameters
    ----------
    data
        The pairs.
    regions
        What was trained on; of large or many ones, parts at random.
    scaling
        As of the model.
    seed
        Same seed, same space.
    """
    rng = np.random.default_rng(seed)
    chosen = _some_tiles(data, regions, rng)
    one_group = len({data.pairs[tile.pair].group for tile in chosen}) < 2
    features, groups = list[Floats](), list[NDArray[np.str_]]()
    for place, tile in enumerate(chosen):
        pair = data.pairs[tile.pair]
        found = _features(_measured(field_of(pair, scaling, tile))[0])
        names = _squares(found.shape[:2], place) if one_group else np.full(found.shape[:2], pair.group)
        features.append(found.reshape(-1, found.shape[-1]))
        groups.append(names.ravel())
    values, names = np.concatenate(features), np.concatenate(groups)
    some = np.sort(rng.permutation(len(values))[:MOST_PLACES])
    return Space.fit(values[some], names[some], seed, DIMS)


def _some_tiles(data: StainSet, regions: Sequence[Region], rng: np.random.Generator) -> list[Region]:
    """Return parts of regions, at random where there are many: a sample does, and large images take long to read."""
    tiles = [
        replace(one, top=y, left=x, bottom=min(y + TILE, one.bottom), right=min(x + TILE, one.right))
        for one in regions
        for y in range(one.top, one.bottom, TILE)
        for x in range(one.left, one.right, TILE)
    ]
    room, chosen = MOST_PIXELS, list[int]()
    for place in rng.permutation(len(tiles))[:MOST_TILES].tolist():
        tile = tiles[place]
        room -= data.pairs[tile.pair].shape[0] * (tile.bottom - tile.top) * (tile.right - tile.left)
        if room < 0 and chosen:
            break
        chosen.append(place)
    return [tiles[place] for place in sorted(chosen)]


def field_of(pair: StainPair, scaling: Scaling, region: Region | None = None) -> Field:
    """Return the input of a pair, or of a region of it, as a field."""
    from napari_cellstage.stain.scaling import own_ranges

    own = own_ranges(pair.inputs, pair.input_channels) if scaling.mode == "image" else None
    scale = partial(scaling.to_input, own=own)
    if region is None:
        return Field(pair.read_input, scale, pair.shape)
    size = (region.bottom - region.top, region.right - region.left)
    return Field(pair.read_input, scale, pair.shape, (region.top, region.left), size)


def _squares(shape: tuple[int, ...], region: int) -> NDArray[np.str_]:
    """Return a name for each place: neighbours are alike, so they are not compared with each other."""
    rows, columns = np.indices(shape) // BLOCK
    names: NDArray[np.str_] = np.char.add(f"{region} ", (rows * 10_000 + columns).astype(str))
    return names


def _measured(field: Field) -> tuple[Floats, Floats]:
    """Return statistics ``(gy, gx, C, Z, 6)`` of all places, and the share of bad pixels ``(gy, gx)`` of each."""
    down, across = (-(-length // STEP) for length in field.size)
    parts = [
        (row, column, *_of_part(field, row, column))
        for row, column in _parts(field, down, across)
    ]  # fmt: skip
    first = parts[0][2]
    statistics = np.empty((down, across, *first.shape[2:]), np.float32)
    bad = np.empty((down, across), np.float32)
    for row, column, some, share in parts:
        place = slice(row.start, row.stop), slice(column.start, column.stop)
        statistics[place], bad[place] = some, share
    return statistics, bad


def _parts(field: Field, down: int, across: int) -> Iterator[tuple[range, range]]:
    """Yield rows and columns of places that are measured at once; memory is bounded."""
    wide = min(across, 128)
    tall = max(1, _BYTES // (4 * field.shape[0] * wide * STEP**2))
    for top in range(0, down, tall):
        for left in range(0, across, wide):
            yield range(top, min(top + tall, down)), range(left, min(left + wide, across))


def _of_part(field: Field, rows: range, columns: range) -> tuple[Floats, Floats]:
    spans = [(r.start * STEP, min(r.stop * STEP, n)) for r, n in zip((rows, columns), field.size, strict=True)]
    raw = field.raw(np.arange(field.shape[0]), *spans)
    more = [(0, r.stop * STEP - end) for r, (_, end) in zip((rows, columns), spans, strict=True)]
    raw = np.pad(raw, [(0, 0), (0, 0), *more], mode="symmetric" if _long_enough(raw, more) else "edge")
    bad: Floats = np.asarray((~np.isfinite(raw)).any(axis=(0, 1), keepdims=True), np.float32)
    return _statistics(field.seen(raw)), _pooled(bad, STEP)[0, 0]


def _long_enough(raw: Floats, more: Iterable[tuple[int, int]]) -> bool:
    return all(amount <= length for (_, amount), length in zip(more, raw.shape[2:], strict=True))


def _statistics(seen: Floats) -> Floats:
    """Return ``(gy, gx, C, Z, 6)``: mean, squared contrasts at 1, 2, 4 and 8 pixels, and third moment at 2 pixels."""
    means, contrasts = [seen], []
    for _ in range(_LEVELS):
        means.append(_pooled(means[-1], 2))
        squares = _pooled(means[-2] ** 2, 2) - means[-1] ** 2
        contrasts.append(np.maximum(squares, 0))
    levels = [_pooled(one, STEP >> number) for number, one in enumerate(contrasts, start=1)]
    centred = means[1] - means[-1].repeat(STEP // 2, axis=2).repeat(STEP // 2, axis=3)
    made = np.stack([means[-1], *levels, _pooled(centred**3, STEP // 2)], axis=-1)
    return np.moveaxis(made, (2, 3), (0, 1))


def _features(statistics: Floats) -> Floats:
    """Return ``(gy, gx, F)``: each place with its neighbours; over the planes mean, spread and slope."""
    from scipy.ndimage import uniform_filter

    size = (3, 3, 1, 1, 1)
    around = uniform_filter(statistics, size)  # mirrored at the edges
    uneven = np.maximum(uniform_filter(statistics[..., :1] ** 2, size) - around[..., :1] ** 2, 0)
    contrasts = np.concatenate([around[..., 1 : 1 + _LEVELS], uneven], axis=-1)
    spread = np.sqrt(contrasts[..., :_LEVELS].sum(axis=-1, keepdims=True) + _FLOOR)
    skew = np.cbrt(around[..., -1:]) / spread
    each = np.concatenate([around[..., :1], np.log(contrasts + _FLOOR), skew], axis=-1)
    depth = each.shape[3]
    place = np.linspace(-1, 1, depth, dtype=np.float32) if depth > 1 else np.zeros(1, np.float32)
    over = [each.mean(axis=3), each.std(axis=3), (each * place[:, None]).mean(axis=3)]
    return np.stack(over, axis=-1).reshape(*each.shape[:2], -1).astype(np.float32)


def _pooled(images: Floats, side: int) -> Floats:
    """Return means of squares ``side`` pixels wide, a power of 2: ``(..., h / side, w / side)``."""
    while side > 1:
        rows = images[..., ::2, :] + images[..., 1::2, :]
        images, side = (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25), side // 2
    return images
