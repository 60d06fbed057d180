"""What lies in the run folder of a stain beside model and card: ``history.csv``, ``scores.json``, a held-out picture.

Loads no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.whole_files import reason_of
from napari_cellstage.stain.events import StainEpoch, StainPicture
from napari_cellstage.stain.picture_look import HEADS, looks_of
from napari_cellstage.stain.scores import StainScores

if TYPE_CHECKING:
    from PIL.Image import Image

HISTORY, SCORES, PICTURE = "history.csv", "scores.json", "held-out.png"
_GAP, _HEAD, _SMALLEST = 4, 16, 120  # pixels: between pictures, for words above them; smaller ones are enlarged


def write_run_files(folder: Path, history: Sequence[StainEpoch], scores: StainScores | None) -> None:
    """Write what a training came to into its run folder; what an earlier run left there is taken away.

    Parameters
    ----------
    folder
        Where the model is.
    history
        Its epochs, in order. The last of them with a picture gives the picture.
    scores
        On the held-out part; None: nothing was scored.

    Raises
    ------
    ModelError
        If something can't be written.
    """
    try:
        for name in (SCORES, PICTURE):
            (folder / name).unlink(missing_ok=True)
        write_csv(history_table(history), folder / HISTORY)
        if scores is not None:
            write_scores(folder / SCORES, scores)
        if shown := [one.picture for one in history if one.picture is not None]:
            picture_of(shown[-1]).save(folder / PICTURE, pnginfo=_said())
    except OSError as error:
        raise ModelError(f"The run in '{folder}' can't be written: {reason_of(error)}. Make room.") from error


def write_scores(file: Path, scores: StainScores) -> None:
    """Write scores as JSON; what is not known is null."""
    file.write_text(json.dumps(scores.to_dict(), indent=1, ensure_ascii=False), encoding="utf-8")


def history_table(history: Iterable[StainEpoch]) -> pd.DataFrame:
    """Return one row an epoch: its losses, and r by stain on what was not learned from."""
    return pd.DataFrame([_row(one) for one in history])


def picture_of(picture: StainPicture) -> Image:
    """Return a picture with one row a stain: input, truth, prediction and error, each named above it."""
    from PIL import Image, ImageDraw

    looks = looks_of(picture)
    height, width = looks[0].pictures[0].shape[:2]
    scale = max(1, math.ceil(_SMALLEST / min(height, width)))
    high, wide = height * scale, width * scale
    canvas = Image.new("RGB", (len(HEADS) * (wide + _GAP) - _GAP, len(looks) * (high + _HEAD)))
    draw = ImageDraw.Draw(canvas)
    for row, look in enumerate(looks):
        heads = (HEADS[0], *(f"{look.stain} ({head})" for head in HEADS[1:]))
        for column, (head, pixels) in enumerate(zip(heads, look.pictures, strict=True)):
            x, y = column * (wide + _GAP), row * (high + _HEAD)
            draw.text((x + 2, y + 2), head, fill="white")
            large = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
            canvas.paste(Image.fromarray(np.ascontiguousarray(large)), (x, y + _HEAD))
    return canvas


def _row(one: StainEpoch) -> dict[str, Any]:
    losses = {"epoch": one.epoch, "epochs": one.epochs, "train_loss": one.train_loss}
    by_stain = {f"pearson {name}": value for name, value in one.pearson.items()}
    return (
        losses
        | by_stain
        | {"of": "validation" if one.chooses else "held out", "patches_per_second": one.patches_per_second}
    )


def _said() -> Any:
    """Return what the picture says of itself."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Description", "Pictures named 'predicted' are PREDICTED by napari-cellstage, not measured.")
    return info
