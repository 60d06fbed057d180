"""Where the cells of a study come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.studies.sources import jurkat_cells, microtubule_cells
from napari_cellstage.studies.tables import StudyError


def write(root: Path, names: tuple[str, ...], each: int = 10, side: int = 8) -> None:
    rng = np.random.default_rng(1)
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(each):
            tifffile.imwrite(root / name / f"{number}.tif", rng.integers(0, 255, (side, side), dtype=np.uint8))


def test_cells_that_lie_beside_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"There is no folder 'jurkat' in data or .* Give the folder"):
        jurkat_cells(None)
    write(tmp_path / "data" / "jurkat", ("G1", "S"))
    found = jurkat_cells(None)
    assert (found.source, found.crops.classes, len(found.crops.labels)) == ("'jurkat'", ("G1", "S"), 20)


def test_folders_without_a_division_are_divided(tmp_path: Path) -> None:
    write(tmp_path, ("0", "0.1", "1"), each=20)
    found = microtubule_cells(tmp_path, quick=False, seed=0)
    assert found.test.sum() == 12
    assert np.bincount(found.crops.labels[found.test]).tolist() == [4, 4, 4]


def test_a_division_that_is_there_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "train", ("0", "1"), each=6)
    write(tmp_path / "test", ("0", "1"), each=3)
    found = microtubule_cells(tmp_path, quick=True, seed=0)
    assert found.test.sum() == 6
    assert all(name.startswith("test/") == is_test for name, is_test in zip(found.crops.names, found.test, strict=True))
    trained, scored = (set(found.crops.groups[mask]) for mask in (~found.test, found.test))
    assert not trained & scored


def test_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a" / "train", ("0", "1"))
    write(tmp_path / "a" / "test", ("0", "2"))
    with pytest.raises(StudyError, match="has the classes 0, 1 in train, but 0, 2 in test"):
        microtubule_cells(tmp_path / "a", quick=True, seed=0)
    write(tmp_path / "b" / "train", ("0", "1"))
    write(tmp_path / "b" / "test", ("0", "1"), side=9)
    with pytest.raises(StudyError, match="are 8 x 8 pixels with 1 channel in train, but 9 x 9"):
        microtubule_cells(tmp_path / "b", quick=True, seed=0)
