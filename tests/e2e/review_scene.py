"""A field labelled with some slips, trained on and reviewed in a real window. No test in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.sample_data import cell_cycle_field

if TYPE_CHECKING:
    from window import Bench

RESTING, DIVIDING = 1, 2
SLIPS = 6  # cells labelled wrong by a slip of the finger


def label_with_slips(bench: Bench) -> np.ndarray:
    """Label all cells of a synthetic field resting or dividing, some wrongly; return the rows of these."""
    session, field = bench.session, cell_cycle_field(size=512, cells=50)
    session.add_image(field.stack)
    labels = np.asarray(field.labels)
    session.set_labels(labels)
    session.add_class("resting")
    session.add_class("dividing")
    stages = np.array(field.truth_of(session.labels()))
    resting = np.flatnonzero(stages == "interphase")
    dividing = np.flatnonzero((stages != "interphase") & (stages != ""))
    slips = resting[:: max(len(resting) // SLIPS, 1)][:SLIPS]
    session.label_cells(np.setdiff1d(resting, slips), RESTING)
    session.label_cells(np.concatenate((dividing, slips)), DIVIDING)
    return slips


def train(bench: Bench) -> None:
    bench.step("Train")
    bench.dock.train.plan.setCurrentText("quick only")
    bench.dock.train.set_recipe(folds=2)
    bench.click(bench.dock.train.train)
    bench.wait_for_end()
    assert bench.session.predictions() is not None


def review(bench: Bench) -> Any:
    """Open the Review step; return its panel when it shows what is known now."""
    bench.step("Review")
    panel = bench.dock.review.panel
    bench.qtbot.waitUntil(lambda: not panel._stale, timeout=20_000)
    return panel
