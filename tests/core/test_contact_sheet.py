from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.contact_sheet import ContactSheet
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.images import open_image
from napari_cellstage.core.sheet_pixels import Grid
from napari_cellstage.core.sheets import open_sheet, sheet_of

SIDE = 12


def tree(root: Path, classes: dict[str, int], channels: int = 2) -> Path:
    """Class folders of pictures that all differ."""
    value = 0
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            value += 10
            pixels = value + np.arange(channels * SIDE * SIDE, dtype=np.uint16).reshape(channels, SIDE, SIDE)
            tifffile.imwrite(root / name / f"m{number % 2}_{number}.tif", pixels, photometric="minisblack")
    return root


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return tree(tmp_path / "cells", {"S": 5, "G1": 4})


def saved(root: Path, file: Path, group_from: str | None = None) -> ContactSheet:
    sheet, _ = ContactSheet.of(read_class_folders(root, group_from), root)
    sheet.save(file)
    return sheet


def test_each_tile_holds_its_picture_sorted_by_class(folders: Path, tmp_path: Path) -> None:
    crops = read_class_folders(folders)
    file = tmp_path / "s.cellsheet"
    sheet = saved(folders, file)
    stack = open_image(file)
    assert (stack.name, stack.tile, stack.channel_names) == ("cells", SIDE, ("channel 0", "channel 1"))
    assert [cell.class_name for cell in sheet.cells] == ["G1"] * 4 + ["S"] * 5
    cells = CellTable.from_labels(sheet.labels())
    assert cells.cell_id.tolist() == list(range(1, 10))
    assert not cells.at_border.any()
    for row in range(9):
        top, left = int(cells.y[row] + 0.5) - SIDE // 2, int(cells.x[row] + 0.5) - SIDE // 2
        shown = stack.data[0, :, 0, top : top + SIDE, left : left + SIDE].compute()
        assert (shown == crops.crops[crops.names.index(sheet.names[row])]).all()
    assert cells.y[cells.cell_id <= 4].max() < cells.y[cells.cell_id > 4].min(), "a class begins a new row"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True), st.integers(1, 9), st.integers(1, 70))
def test_every_cell_of_any_grid_is_there_once_and_in_its_tile(places: list[int], columns: int, tile: int) -> None:
    grid = Grid(tile, columns, np.array(places))
    labels = grid.labels()
    assert labels.shape == grid.shape
    cells = CellTable.from_labels(labels[None, None])
    assert cells.cell_id.tolist() == list(range(1, len(places) + 1))
    assert ((cells.y + 0.5).astype(int) // tile * columns + (cells.x + 0.5).astype(int) // tile).tolist() == places
    assert ((cells.y + 0.5).astype(int) % tile == tile // 2).all()


def test_what_is_taken_away_leaves_an_empty_tile_and_a_sentence(folders: Path, tmp_path: Path) -> None:
    file = tmp_path / "s.cellsheet"
    before = saved(folders, file).stack().data.compute()
    (folders / "G1" / "m0_0.tif").unlink()
    tree(folders / "more", {"M": 1})
    sheet = ContactSheet.load(file)
    after = open_sheet(file).data.compute()
    assert (after[..., SIDE:] == before[..., SIDE:]).all()
    assert [np.unique(c).tolist() for c in after[0, :, 0, :SIDE, :SIDE]] == [[v] for v in sheet.fill]
    gone, new = sheet.notes
    assert gone.startswith(f"1 picture is no longer in '{folders}', such as 'G1/m0_0.tif'. The tiles are empty now")
    assert new.startswith(f"1 picture is new in '{folders}', such as 'more/M/m0_0.tif'. Open the folder once more")


def test_a_folder_that_moved_is_found_again(folders: Path, tmp_path: Path) -> None:
    file = tmp_path / "s.cellsheet"
    pixels = saved(folders, file).stack().data.compute()
    moved = shutil.move(folders, tmp_path / "elsewhere")
    with pytest.raises(ImageError, match=r"not at '.*cells' any more\. Show where"):
        open_sheet(file)
    assert ContactSheet.load(file).notes[0].startswith("The class folders of the contact sheet 'cells' are not at")
    assert ContactSheet.load(file).found_in(tmp_path / "s.cellsheet") is None
    assert ContactSheet.load(file).found_in(tmp_path) is None, "another name"
    assert ContactSheet.load(file).found_in(Path(moved)) == Path(moved)
    (tmp_path / "wrong").mkdir()
    with pytest.raises(ImageError, match=r"holds none of the pictures of this contact sheet, such as 'G1/m0_0.tif'"):
        ContactSheet.load(file).moved_to(tmp_path / "wrong")
    ContactSheet.load(file).moved_to(Path(moved)).save(file)
    assert (open_sheet(file).data.compute() == pixels).all()


def test_folder_and_sheet_may_move_together(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    saved(folders, tmp_path / "p" / "s.cellsheet")
    (tmp_path / "new").mkdir()
    shutil.move(folders, tmp_path / "new")
    shutil.move(tmp_path / "p", tmp_path / "new")
    assert ContactSheet.load(tmp_path / "new" / "p" / "s.cellsheet").root == tmp_path / "new" / "cells"


def test_groups_go_with_the_cells(folders: Path, tmp_path: Path) -> None:
    saved(folders, tmp_path / "s.cellsheet", r"^m\d")
    sheet = sheet_of(open_sheet(tmp_path / "s.cellsheet"))
    assert sheet is not None
    assert sheet.groups_of(np.array([1, 2, 3, 99])).tolist() == ["movie m0", "movie m0", "movie m1", "cell 99"]
    alone = saved(folders, tmp_path / "own.cellsheet")
    assert alone.groups_of(np.array([1, 5])).tolist() == ["G1/m0_0.tif", "S/m0_0.tif"]
    assert sheet_of(alone.stack()) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"root": "x"}'])
def test_a_damaged_description_is_said(folders: Path, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "s.cellsheet"
    file.write_text(damage)
    with pytest.raises(ImageError, match=r"The contact sheet '.*s.cellsheet' can't be read: .* open the class folders"):
        ContactSheet.load(file)


def test_channels_in_files_of_their_own_are_found_again(tmp_path: Path) -> None:
    root = tmp_path / "flow"
    for number in range(3):
        for channel in (3, 4):
            file = root / "G1" / f"{number}_Ch{channel}.ome.tif"
            file.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(file, np.full((9, 9), 10 * number + channel, np.uint16))
    sheet = saved(root, tmp_path / "s.cellsheet")
    stack = open_sheet(tmp_path / "s.cellsheet")
    assert stack.channel_names == ("Ch3", "Ch4")
    assert (stack.data.compute() == sheet.stack().data.compute()).all()
    assert stack.data[0, 1, 0, 4, 13].compute() == 14
    assert json.loads((tmp_path / "s.cellsheet").read_text())["cells"][0][1] == ["G1/0_Ch3.ome.tif", "G1/0_Ch4.ome.tif"]


@pytest.mark.data
def test_real_class_folders_make_a_sheet(data_dir: Path, tmp_path: Path) -> None:
    sheet = saved(data_dir / "mitocheck", tmp_path / "s.cellsheet", r"^(.+?___.+?)___")
    stack = open_sheet(tmp_path / "s.cellsheet")
    assert (len(sheet), stack.tile, len(set(sheet.groups))) == (2818, 64, 66)
    assert stack.data[0, 0, 0].compute().shape == sheet.grid.shape
