"""What places of transmitted light look like: statistics of the scaled input, 16 pixels by 16.

They need no pass through a network, do not depend on how the image is cut, and change with brightness, focus,
magnification and noise, in which microscopes differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.fields import Field

Floats = NDArray[np.float32]
STEP = 16  # pixels of the model's size that a place is high and wide
AROUND = 3  # places along the side of the square whose mean counts for its middle
KINDS = (
    "brightness",
    "the finest detail (focus, noise)",
    "fine detail (focus, magnification)",
    "contrast within cells",
    "contrast within cells",
    "contrast between cells and ground",
    "which of bright and dark is rarer (contrast method)",
)
OVER_PLANES = 3  # mean, spread and slope of each kind over the planes
_LEVELS = 4  # 2 ** 4 is the step
_FLOOR = 1e-5  # of squared contrasts: what is under it is no contrast
_BYTES = 32 << 20


def looks_of(field: Field) -> tuple[Floats, Floats]:
    """Return what all places of a field look like, and which have bad pixels.

    Parameters
    ----------
    field
        Scaled input, ``(h, w)``.

    Returns
    -------
    tuple of ndarray
        ``(ceil(h / 16), ceil(w / 16), F)`` float32, where F counts channels, then `KINDS`, then `OVER_PLANES`; and the
        share of pixels that are not finite, of that shape without F.
    """
    statistics, bad = _measured(field)
    return _features(statistics), bad


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

    size = (AROUND, AROUND, 1, 1, 1)
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
