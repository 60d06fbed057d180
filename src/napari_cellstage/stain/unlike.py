"""What a model of stains knows of its training data's looks, and where, and how far, an image is unlike them.

A network predicts something for any picture. Two things say where that may be invented: single places that look like no
place of the training data (distances are those of `core.review.space`), and, as an image in wrong light or out of focus
may have nothing but places that occur somewhere, its places as a whole, see `whole_looks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.space import Space
from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.place_looks import looks_of
from napari_cellstage.stain.whole_looks import Difference, WholeLooks

if TYPE_CHECKING:
    from napari_cellstage.stain.pair import StainPair, StainSet
    from napari_cellstage.stain.scaling import Scaling
    from napari_cellstage.stain.splits import Region

Floats = NDArray[np.float32]
BLOCK = 8  # places along the side of a square that counts as one group, where all places are of one group
TILE, MOST_TILES, MOST_PIXELS = 512, 300, 1 << 27  # what is looked at of the training data
MOST_PLACES, DIMS = 8000, 16


@dataclass(frozen=True, eq=False)
class Familiar:
    """What a model knows of its training data's looks.

    Parameters
    ----------
    places
        What single places look like.
    whole
        What images look like as a whole.
    """

    places: Space
    whole: WholeLooks

    def compare(self, field: Field) -> tuple[Floats, Difference]:
        """Return the map of a field, see `unlike_map`, and how it differs as a whole."""
        looks, bad = looks_of(field)
        return unlike_map(looks, bad, self.places), self.whole.difference(looks[bad == 0])

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return all that a model's file has to hold."""
        return self.places.arrays() | self.whole.arrays()

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self | None:
        """Make what `arrays` gave, out of arrays that may hold others too; None where it is not among them."""
        places, whole = Space.from_arrays(arrays), WholeLooks.from_arrays(arrays)
        return None if places is None or whole is None else cls(places, whole)


def not_known(field: Field) -> tuple[Floats, Difference]:
    """Return what can be said of a field where nothing is known of the training data: where its pixels are bad."""
    _, bad = looks_of(field)
    return np.where(bad > 0, 1 + bad, np.nan).astype(np.float32), Difference(float("nan"), "")


def unlike_map(looks: Floats, bad: Floats, space: Space) -> Floats:
    """Return ``(gy, gx)`` of looks ``(gy, gx, F)``: over 1 where a place is unlike the training data.

    A place with pixels that are not finite, as `bad` says, is over 1 in any case; others are NaN where nobody can tell.
    """
    found = space.unlike(space.embed(looks.reshape(-1, looks.shape[-1]))).reshape(bad.shape)
    return np.where(bad > 0, np.fmax(found, 1 + bad), found).astype(np.float32)


def learn_familiar(data: StainSet, regions: Sequence[Region], scaling: Scaling, seed: int = 0) -> Familiar:
    """Learn what the training data look like.

    Parameters
    ----------
    data
        The pairs.
    regions
        What was trained on; of large or many ones, parts at random.
    scaling
        As of the model.
    seed
        Same seed, same result.
    """
    rng = np.random.default_rng(seed)
    chosen = _some_tiles(data, regions, rng)
    one_group = len({data.pairs[tile.pair].group for tile in chosen}) < 2
    looks, images, groups = list[Floats](), list[NDArray[np.str_]](), list[NDArray[np.str_]]()
    for place, tile in enumerate(chosen):
        pair = data.pairs[tile.pair]
        found, _ = looks_of(field_of(pair, scaling, tile))
        of_image = np.full(found.shape[:2], pair.group)
        looks.append(found.reshape(-1, found.shape[-1]))
        images.append(of_image.ravel())
        groups.append((_squares(found.shape[:2], place) if one_group else of_image).ravel())
    values, names = np.concatenate(looks), np.concatenate(groups)
    some = np.sort(rng.permutation(len(values))[:MOST_PLACES])
    places = Space.fit(values[some], names[some], seed, DIMS)
    return Familiar(places, WholeLooks.fit(values[some], np.concatenate(images)[some], len(values) / len(some)))


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
