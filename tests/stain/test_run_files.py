"""What lies in the run folder of a stain beside its model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_cellstage.core.errors import ModelError
from napari_cellstage.stain.events import StainEpoch, StainPicture
from napari_cellstage.stain.run_files import HISTORY, PICTURE, SCORES, history_table, picture_of, write_run_files
from napari_cellstage.stain.scores import ImageScore, StainScore, StainScores

NAN = float("nan")


def picture(stains: tuple[str, ...] = ("DNA", "actin"), level: float = 100.0) -> StainPicture:
    plane = np.full((len(stains), 20, 30), level, dtype=np.float32)
    plane[:, 5:10, 5:10] = 300
    return StainPicture(stains, plane[0], plane, plane / 2, plane / 2 - plane)


def epoch(number: int, chooses: bool = False, shown: StainPicture | None = None) -> StainEpoch:
    return StainEpoch(number, 2, 0.5 / number, {"DNA": 0.4 * number, "actin": NAN}, 100.0, shown, chooses)


def scores() -> StainScores:
    image = ImageScore("a.tif", "a.tif", 0, 0.9, 0.8, 10.0, 11.0)
    rest = (0.1, 0.2, 0.3, 0.8)
    stain = StainScore("DNA", 0.9, (0.8, 0.95), 0.7, NAN, *rest, ((1.0, 2.0),), 0.5, "plane 0", (image,))
    return StainScores((stain,), 1, ("One image only.",))


def test_history_scores_and_picture_are_written_and_read(tmp_path: Path) -> None:
    write_run_files(tmp_path, [epoch(1), epoch(2, shown=picture())], scores())
    history = pd.read_csv(tmp_path / HISTORY)
    assert history["epoch"].tolist() == [1, 2]
    assert history["pearson DNA"].tolist() == [0.4, 0.8]
    assert history["pearson actin"].isna().all()
    assert set(history["of"]) == {"held out"}
    told = json.loads((tmp_path / SCORES).read_text(encoding="utf-8"))
    assert told["stains"]["DNA"]["pearson"] == 0.9
    assert told["stains"]["DNA"]["content_r"] is None
    with Image.open(tmp_path / PICTURE) as shown:
        assert "PREDICTED by napari-cellstage, not measured" in shown.info["Description"]


def test_what_chose_the_epoch_is_said() -> None:
    assert history_table([epoch(1, chooses=True)])["of"].tolist() == ["validation"]


def test_an_earlier_run_leaves_nothing_behind(tmp_path: Path) -> None:
    write_run_files(tmp_path, [epoch(1, shown=picture())], scores())
    write_run_files(tmp_path, [epoch(1)], None)
    assert [file.name for file in tmp_path.iterdir()] == [HISTORY]


def test_a_picture_has_a_row_a_stain_and_is_large_enough_to_see() -> None:
    shown = picture_of(picture())
    one = picture_of(picture(("DNA",)))
    assert shown.width == one.width
    assert shown.height == 2 * one.height
    assert one.height >= 120
    assert one.width > 4 * 120
    assert len(np.unique(np.asarray(one))) > 2


def test_a_folder_that_cant_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="can't be written"):
        write_run_files(tmp_path / "file", [epoch(1)], None)
