"""What a training leaves: the model with the cells it was made from, and what it says about every cell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.model import TrainedModel


@dataclass(frozen=True)
class Answer:
    """What a training says about every cell.

    Parameters
    ----------
    recipe_name
        Of the recipe that it is by.
    predictions
        By image id.
    scores
        On cells that its models had not seen; None when there were none. Where two models were compared, of the
        choosing: see `learn.choice`.
    run
        Name of the run folder; empty when it could not be saved.
    to_predict
        True when training was stopped, so that a stop is answered at once: the model is in `run`, its predictions
        are still to be made, by `predict_run`.
    unseen
        What models that had not seen them say about labelled cells: of all of them once it was cross-validated, of
        the held-out part before; None when there are none.
    checking
        True when nothing but cross-validation is still to come: a stop then loses no model.
    left_out
        Names of classes with labels that were not to be told apart.
    """

    recipe_name: str
    predictions: dict[int, Predictions] = field(repr=False)
    scores: Scores | None
    run: str
    to_predict: bool = False
    unseen: Unseen | None = field(default=None, repr=False)
    checking: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A model with the folder it was saved in, or None, and the cells it was made from."""

    model: TrainedModel
    folder: Path | None
    data: TrainingSet | None = None

    @property
    def run(self) -> str:
        """Name of the run folder; empty when it could not be saved."""
        return self.folder.name if self.folder else ""

    def answer(self, predictions: dict[int, Predictions], to_predict: bool = False) -> Answer:
        """Return what it says, with the score on its held-out cells."""
        model = self.model
        unseen = None if model.unseen is None else replace(model.unseen, run=self.run)
        left_out = tuple(str(one["name"]) for one in model.card.get("left_out", ()))
        return Answer(model.recipe.name, predictions, model.scores, self.run, to_predict, unseen, left_out=left_out)


@dataclass(frozen=True)
class Kept:
    """The best answer so far, and the model that it is of."""

    answer: Answer
    trained: Trained
    compared: bool = False
