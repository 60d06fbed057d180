from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.exporting.source import ExportError, ExportSource
from napari_cellstage.core.exporting.table import export_csv, image_frame

from .conftest import driven


def never() -> bool:
    return False


def test_the_table_says_all_that_is_known(source: ExportSource, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "cells.csv"
    answer = driven(export_csv(source, out, False, never))
    table = pd.read_csv(out, keep_default_na=False, na_values={"confidence": [""], "p_S": [""]})
    assert (answer.cells, answer.files, len(table)) == (12, (out,), 12)
    assert answer.text == f"12 cells written to {out}"
    first = table.iloc[0]
    assert (first.cell_id, first.t, first.y, first.x, first.y_um, first.x_um) == (1, 0, 13.5, 13.5, 6.75, 3.375)
    assert table.label[:6].tolist() == ["G2/M", "'=1+1", "S", "G2/M", "", ""]
    assert table.origin[:4].tolist() == ["hand", "folder", "well", "hand"]
    assert table.predicted[:6].tolist() == ["S"] * 5 + [""]
    np.testing.assert_allclose(table.confidence[:5], 0.7, rtol=1e-5)
    assert table.confidence[5:].isna().all()
    assert not table.flagged.any()
    np.testing.assert_allclose(table["p_=1+1"][:5].astype(float), 0.2, rtol=1e-5)
    assert (first.plate, first.well, first.dose, first.treatment) == ("P1", "B03", "0.1 µM", "'@drug")
    assert table.track.tolist() == [1, 1, 2, 3, 0, 0] + [0] * 6
    assert table.image_id.tolist() == [1] * 6 + [2] * 6


def test_cells_without_a_label_can_be_left_out(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_csv(source, tmp_path / "cells.csv", True, never))
    assert answer.cells == 8
    assert (pd.read_csv(tmp_path / "cells.csv").label != "").all()


def test_nothing_to_export_is_said(source: ExportSource, tmp_path: Path) -> None:
    bare = ExportSource((), ClassScheme())
    with pytest.raises(ExportError, match=r"The project has no cells, so there is nothing to export. Find cells first"):
        next(export_csv(bare, tmp_path / "a.csv", False, never))
    image = source.images[0]
    image.class_ids[:] = 0
    with pytest.raises(
        ExportError, match=r"No cell is labelled, so there is nothing to export. Label cells, or export"
    ):
        next(export_csv(ExportSource((image,), source.scheme), tmp_path / "a.csv", True, never))


def test_a_file_is_not_replaced_unless_wished(source: ExportSource, tmp_path: Path) -> None:
    out = tmp_path / "cells.csv"
    out.write_text("mine")
    with pytest.raises(ExportError, match=r"cells.csv' is there already\. Choose another name, or allow"):
        next(export_csv(source, out, False, never))
    with pytest.raises(ExportError, match=r"is a folder, but a file is needed\. Add a file name\."):
        next(export_csv(source, tmp_path, False, never))
    stopped = driven(export_csv(source, out, False, lambda: True, overwrite=True))
    assert (stopped.stopped, out.read_text(), list(tmp_path.iterdir())) == (True, "mine", [out])
    driven(export_csv(source, out, False, never, overwrite=True))
    assert len(pd.read_csv(out)) == 12


def test_a_place_that_cannot_be_written_is_said(source: ExportSource, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=r"can't be written: .*\. Choose another place, or make room\."):
        next(export_csv(source, tmp_path / "file" / "cells.csv", False, never))


def test_cells_unlike_the_training_cells_are_flagged(source: ExportSource) -> None:
    image = source.images[0]
    assert image.predictions is not None
    unlike = np.full(len(image.predictions), 0.5, dtype=np.float32)
    unlike[1] = 1.5
    known = replace(image, predictions=replace(image.predictions, unlike=unlike))
    table = image_frame(known, source, False)
    assert table.flagged[:3].tolist() == [False, True, False]
    assert table.unlike[1] == pytest.approx(1.5)
    assert list(table.columns) == list(image_frame(image, source, False).columns)
