"""Cells of a kind that the training never had: how many are flagged, and how many of known kinds in other movies.

Distances and limits were chosen on Elongated, Folded, Large, SmallIrregular, OutOfFocus and Binuclear left out in turn;
the classes left out here had no part in that.

python -m benchmarks.unlike
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.mitocheck_quick import DATA, MOVIE, finish
from benchmarks.table import Row, median_seconds
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.review.space import Space
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.measure import Measure, steady_normalisation
from napari_cellstage.learn.recipe import Recipe

LEFT_OUT = ("Apoptosis", "Grape", "Interphase", "Metaphase", "ADCCM", "Hole")
DRAWS = 3
SHARE = 5  # one movie in so many is kept out of the training
NOISE, BLANK, JURKAT_EVERY = 200, 20, 4
MANY, WIDTH = 100_000, 64

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Cells:
    """Features of real cells, and of crops that show none.

    Parameters
    ----------
    features, kinds, movies
        Of the mitocheck cells.
    strange
        Features of other things, by what they are.
    """

    features: Values
    kinds: NDArray[np.str_]
    movies: NDArray[np.str_]
    strange: dict[str, Values]


def rows() -> list[Row]:
    """Measure; without the real images there is only the speed to report."""
    timed = _speed()
    if not (DATA / "mitocheck").is_dir():
        return [timed, Row("cells unlike the training", f"not measured: no images at {DATA}", "", None)]
    cells = _measured(read_class_folders(DATA / "mitocheck", MOVIE))
    found = {name: [_flagged(cells, name, draw) for draw in range(DRAWS)] for name in LEFT_OUT}
    every = [one for draws in found.values() for one in draws]
    return [
        timed,
        Row("flagged: cells of known classes in other movies", f"{_mean(every, 'known'):.1%}", "about 1 %"),
        *(Row(f"flagged: {name}, left out of training", _said(draws), "") for name, draws in found.items()),
        *(Row(f"flagged: {what}", f"{_mean(every, what):.1%}", "") for what in cells.strange),
    ]


def _said(draws: list[dict[str, float]]) -> str:
    return f"{_mean(draws, 'unknown'):.1%} (AUC {_mean(draws, 'AUC'):.2f})"


def _mean(draws: list[dict[str, float]], what: str) -> float:
    return float(np.mean([one[what] for one in draws]))


def _flagged(cells: Cells, name: str, draw: int) -> dict[str, float]:
    """Return which shares are flagged by a space that saw neither the class nor a fifth of the movies."""
    from sklearn.metrics import roc_auc_score

    movies = np.random.default_rng(draw).permutation(np.unique(cells.movies))
    aside, unknown = np.isin(cells.movies, movies[: len(movies) // SHARE]), cells.kinds == name
    seen = ~aside & ~unknown
    space = Space.fit(cells.features[seen], cells.movies[seen], draw, labels=cells.kinds[seen])

    def unlike(features: Values) -> Values:
        return space.unlike(space.embed(features))

    new, known = unlike(cells.features[unknown]), unlike(cells.features[aside & ~unknown])
    auc = roc_auc_score(np.repeat([1, 0], [len(new), len(known)]), np.concatenate([new, known]))
    shares = {what: float((unlike(features) > 1).mean()) for what, features in cells.strange.items()}
    return {"unknown": float((new > 1).mean()), "known": float((known > 1).mean()), "AUC": float(auc), **shares}


def _measured(crops: CropSet) -> Cells:
    recipe = Recipe.load("quick").but(holdout=0.0, weights="none")
    data = TrainingSet.from_crops(crops, recipe)
    measure = Measure(steady_normalisation(data.crops, recipe), recipe)

    def features(images: NDArray[np.generic]) -> Values:
        masks = None if data.masks is None else np.ones((len(images), *data.masks.shape[1:]), dtype=bool)
        found: Values = finish(measure.features(images, masks, lambda: False, "measuring"))
        return found

    own: Values = finish(measure.features(data.crops, data.masks, lambda: False, "measuring"))
    names = np.asarray(data.classes.names)[data.labels]
    return Cells(own, names, data.groups, {what: features(images) for what, images in _strange(data).items()})


def _strange(data: TrainingSet) -> dict[str, NDArray[np.generic]]:
    shape, kind = data.crops.shape[1:], data.crops.dtype
    noise = np.random.default_rng(0).integers(0, 256, (NOISE, *shape)).astype(kind)
    found: dict[str, NDArray[np.generic]] = {
        "crops of noise": noise,
        "blank crops": np.full((BLANK, *shape), 10, dtype=kind),
    }
    if (DATA / "jurkat").is_dir():
        found["Jurkat cells, DNA stretched to the same range"] = _jurkat(data)
    return found


def _jurkat(data: TrainingSet) -> NDArray[np.generic]:
    """Return cells of another line and microscope, as bright as the training cells and in crops as large."""
    dna = read_class_folders(DATA / "jurkat", None).crops[::JURKAT_EVERY, 1:2].astype(np.float64)
    low, high = np.percentile(dna, (1, 99.8))
    dark, bright = np.percentile(data.crops, (1, 99.8))
    stretched = dark + np.clip((dna - low) / (high - low), 0, 1) * (bright - dark)
    side = (data.crops.shape[-1] - dna.shape[-1]) // 2
    return np.pad(stretched, ((0, 0), (0, 0), (side, side), (side, side)), mode="reflect").astype(data.crops.dtype)


def _speed() -> Row:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 100)).astype(np.float32)
    space = Space.fit(features, np.arange(4000) % 20, labels=np.arange(4000) % 8)
    embedded = rng.normal(size=(MANY, WIDTH)).astype(np.float32)
    took = median_seconds(lambda: space.unlike(embedded), runs=3)
    return Row(f"how unlike {MANY:,} cells are, 2,000 references", f"{took:.2f} s", "<= 5 s", took <= 5)


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
