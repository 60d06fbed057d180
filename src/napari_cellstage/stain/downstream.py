"""The check by task: nuclei found, and classes given, from predicted stains against those from the true ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.learn.events import BatchDone, Note

if TYPE_CHECKING:
    from napari_cellstage.learn.model import TrainedModel
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.pairs import StainSet
    from napari_cellstage.stain.splits import Region

Interval = tuple[float, float]


@dataclass(frozen=True)
class FoundInImage:
    """Nuclei of one image: in the true stain, in the predicted one, and how many are the same (IoU >= 0.5)."""

    name: str
    true: int
    predicted: int
    matched: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where both images are empty."""
        both = self.true + self.predicted
        return 2 * self.matched / both if both else float("nan")


@dataclass(frozen=True)
class FoundScores:
    """Nuclei found in predicted against true stain, over all images.

    Parameters
    ----------
    stain
        In which they were found.
    images
        One each.
    notes
        Sentences to show, such as where nothing was found.
    """

    stain: str
    images: tuple[FoundInImage, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        raise NotImplementedError


@dataclass(frozen=True)
class ClassScores:
    """Classes that a classification model gives cells seen in predicted stain against the same in true stain.

    Parameters
    ----------
    classes
        Their names.
    cells
        How many were judged.
    agreement, kappa
        Share of cells with the same class, and Cohen's kappa; NaN for no cells.
    agreement_interval
        95 % (Wilson).
    matrix
        Rows: class from the true stain; columns: from the predicted one.
    """

    classes: tuple[str, ...]
    cells: int
    agreement: float
    agreement_interval: Interval
    kappa: float
    matrix: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        raise NotImplementedError


def compare_found(
    model: StainModel,
    data: StainSet,
    stain: str,
    regions: Sequence[Region] | None = None,
    settings: SegmentSettings | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, FoundScores]:
    """Find nuclei in the predicted and in the true stain of each pair, and match them."""
    raise NotImplementedError
    yield


def compare_classes(
    model: StainModel,
    data: StainSet,
    judge: TrainedModel,
    regions: Sequence[Region] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, ClassScores]:
    """Let a classification model judge each cell with its true stain, and again with the predicted one in its place."""
    raise NotImplementedError
    yield
