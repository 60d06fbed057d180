"""The checks by task of `stain evaluate`: nuclei found, and classes given, from predicted and from true stains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellstage.cli.progress import Reporter
from napari_cellstage.cli.stain_answers import number
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.stain.class_agreement import ClassScores, compare_classes
from napari_cellstage.stain.downstream import FoundScores, compare_found
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import StainSet
from napari_cellstage.stain.scored_parts import parts_for
from napari_cellstage.stain.splits import Region


@dataclass(frozen=True)
class Tasks:
    """Which checks are wanted.

    Parameters
    ----------
    nuclei
        Stain in which nuclei are found; None: none are.
    classes_by
        Run folder of a classification model that judges the cells; None: none does.
    """

    nuclei: str | None = None
    classes_by: Path | None = None

    def judge(self, device: str | None) -> TrainedModel | None:
        """Load the classification model, before anything that takes long."""
        if self.classes_by is None:
            return None
        model = TrainedModel.load(self.classes_by)
        return model if device is None else model.on_device(device)

    def check(self, model: StainModel, data: StainSet, regions: Sequence[Region]) -> None:
        """Raise `ModelError` when there is no such stain, before anything that takes long."""
        if self.nuclei is not None:
            parts_for(model, data, regions).stain(self.nuclei)

    def answer(
        self,
        model: StainModel,
        data: StainSet,
        regions: Sequence[Region],
        judge: TrainedModel | None,
        reporter: Reporter,
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """Do the checks, say what came of them, and return it as JSON values."""
        told: dict[str, Any] = {}
        if self.nuclei is not None:
            found = reporter.follow(
                compare_found(model, data, self.nuclei, regions, should_stop=should_stop), "finding nuclei"
            )
            told["nuclei"] = found.to_dict()
            _say(reporter, found_line(found))
        if judge is not None:
            classes = reporter.follow(compare_classes(model, data, judge, regions, should_stop=should_stop), "classes")
            told["classes"] = classes.to_dict()
            _say(reporter, class_line(classes))
        return told


def found_line(found: FoundScores) -> str:
    """Say how many nuclei of the true stain are found in the predicted one."""
    true, predicted, matched = found.counts
    low, high = found.f1_interval
    interval = f" ({number(low)} to {number(high)})" if low == low else ""
    return (
        f"nuclei in {found.stain}: {true} in the true stain, {predicted} in the predicted one, {matched} the same "
        f"(IoU of 0.5 or more); F1 {number(found.f1)}{interval}; mean r within a nucleus {number(found.cells_pearson)}"
    )


def class_line(classes: ClassScores) -> str:
    """Say how many cells get the same class from the predicted stain as from the true one."""
    low, high = classes.agreement_interval
    return (
        f"classes of {classes.cells} cells: {number(classes.agreement)} the same ({number(low)} to {number(high)}), "
        f"kappa {number(classes.kappa)}"
    )


def _say(reporter: Reporter, line: str) -> None:
    reporter.say("")
    reporter.say(line)
