"""How far shown confidence is off on movies that took part neither in training nor in the fit of the temperature.

Each fold's model is made from four fifths of the movies: head, strength, temperature; what it shows for the others is
what `predict` would. Nothing of this was tuned on these figures.
"""

from __future__ import annotations

from benchmarks.mitocheck_quick import DATA, FOLDS, MOVIE, finish
from benchmarks.table import Row
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import expected_calibration_error
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.device import choose_device
from napari_cellstage.learn.recipe import Recipe

LARGEST_ERROR = 0.05
WHAT = "mitocheck, 5 folds by movie: calibration error of shown confidence, 15 bins"


def rows() -> list[Row]:
    """Return the rows of this room; the network's only where there is a graphics card."""
    if not (DATA / "mitocheck").is_dir():
        return [Row(WHAT, f"not measured: no images at {DATA}", f"<= {LARGEST_ERROR}", None)]
    quick = out_of_fold(Recipe.load("quick").but(weights="none"))
    error = expected_calibration_error(quick.probabilities, quick.truth)
    before = expected_calibration_error(quick.raw, quick.truth)
    found = [
        Row(f"{WHAT}, quick", f"{error:.3f}", f"<= {LARGEST_ERROR}", error <= LARGEST_ERROR),
        Row("the same before temperature scaling", f"{before:.3f}", "reported"),
    ]
    if choose_device("auto").type != "cpu":
        network = out_of_fold(Recipe.load("finetune"))
        error = expected_calibration_error(network.probabilities, network.truth)
        found.append(Row(f"{WHAT}, network", f"{error:.3f}", f"<= {LARGEST_ERROR}", error <= LARGEST_ERROR))
    return found


def out_of_fold(recipe: Recipe) -> Unseen:
    """Return predictions for all cells, each by a model that has seen none of its movie."""
    crops = read_class_folders(DATA / "mitocheck", MOVIE)
    found: Unseen = finish(cross_validate(TrainingSet.from_crops(crops, recipe), recipe.but(folds=FOLDS)))
    return found


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
