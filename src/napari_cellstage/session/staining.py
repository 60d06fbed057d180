"""Predicted stains of the project's images, and what training a network that predicts them gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_cellstage.core.predicted import PredictedStain, Prediction
from napari_cellstage.core.stain_snapshot import StainSnapshot
from napari_cellstage.session.work import WorkPart

if TYPE_CHECKING:
    from napari_cellstage.core.stain_files import KeptPrediction
    from napari_cellstage.stain.run_records import StainRun


class StainingPart(WorkPart):
    """Stains that were predicted, each one more channel of its image. They are no labels: undo leaves them alone.

    Removing one touches no cell and no label; predicting it again is the way back.
    """

    stains_changed = Signal(int)  # image_id: it has other predicted stains now
    stain_runs_changed = Signal()

    def stains(self, image_id: int | None = None) -> tuple[PredictedStain, ...]:
        """Return the predicted stains of an image, in the order of its channels.

        They lie behind the channels of its file, so that `session.channel_names` ends with their names.
        """
        raise NotImplementedError

    def add_stains(
        self,
        image_id: int,
        prediction: Prediction | KeptPrediction,
        run: str | Path,
        replace: bool = False,
        version: int | None = None,
    ) -> tuple[str, ...]:
        """Keep predicted stains of an image with the project, as channels of it; return their names.

        Parameters
        ----------
        image_id
            The image.
        prediction
            What `stain.predict.predict_stains` returned; or what `StainSnapshot.keep` made of it, in the worker: of a
            large image, writing it here takes seconds.
        run
            Which model it is from: a run of the project, or the folder of one from elsewhere.
        replace
            Put each in place of the one of that stain that is there, whichever run it is from. Otherwise one of the
            same run is replaced, and one of another run stays: the new one is called ``"DNA (predicted by RUN)"``.
        version
            Number of the `stain_snapshot` that it is the answer to: where another project is open by now, nothing is
            kept and nothing returned.

        Raises
        ------
        ImageError
            If it does not fit the image.
        ProjectError
            If it can't be written; then nothing has changed.
        """
        raise NotImplementedError

    def remove_stain(self, image_id: int, name: str) -> None:
        """Take a predicted stain off an image, by the name of its channel; cells found in it and labels stay.

        Raises
        ------
        ImageError
            If the image has no such stain.
        """
        raise NotImplementedError

    def stain_runs(self) -> tuple[StainRun, ...]:
        """Return what is known of each trained stain model of the project, the newest first."""
        raise NotImplementedError

    def note_stain_run(self, name: str = "") -> None:
        """Look at the run folders again, as one has been added; tells `stain_runs_changed`."""
        raise NotImplementedError

    def stain_snapshot(self, image_ids: Sequence[int] | None = None) -> StainSnapshot:
        """Freeze images, all of the project when None, for training and prediction of stains in a worker."""
        raise NotImplementedError
