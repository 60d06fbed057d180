"""Crops as the eye wants them: bright as in their image, a little wider than the network sees, problems said."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_cellstage.core.images import from_array
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.review.crop_looks import GONE, NOT_THERE, CropLooks, cutting_of


def refs(image_id, *cell_ids, t=0):
    count = len(cell_ids)
    return CellRefs(np.full(count, image_id), np.full(count, t), np.array(cell_ids))


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path)
    labels = np.zeros((200, 200), dtype=np.int32)
    labels[40:60, 40:60], labels[140:160, 140:160] = 1, 2
    pixels = np.full((200, 200), 100, dtype=np.uint16)
    pixels[labels == 1], pixels[labels == 2] = 1100, 600
    made.add_image(from_array(pixels, "YX", "field"))
    made.set_labels(labels)
    yield made
    made.close()


def test_brightness_is_that_of_the_image_not_of_each_crop(session):
    bright, dim = CropLooks(session.look()).pictures(refs(1, 1, 2))

    assert bright.pixels.shape == (80, 80, 3)
    assert bright.pixels[40, 40].tolist() == [255] * 3
    assert dim.pixels[40, 40, 0] == pytest.approx(127, abs=3)
    assert bright.pixels[2, 2, 0] == 0


def test_the_window_is_where_the_pixels_are_from(session):
    one = CropLooks(session.look()).pictures(refs(1, 1))[0]
    top, left, height, width = one.window

    assert (height, width) == (80, 80)
    rows, columns = np.flatnonzero(one.pixels[:, 40, 0] == 255), np.flatnonzero(one.pixels[40, :, 0] == 255)
    assert top + 0.5 + rows[0] == 40
    assert left + 0.5 + columns[0] == 40
    assert one.outline.sum() == 4 * 19


def test_the_way_of_the_reviewed_run_is_followed(session, tmp_path):
    recipe = Recipe().but(crop="cell", margin=2.0)
    (tmp_path / "card.json").write_text(json.dumps({"recipe": recipe.to_dict(), "crop_size": 400}))
    one = CropLooks(session.look(), tmp_path).pictures(refs(1, 1))[0]

    assert one.pixels.shape == (160, 160, 3)
    assert one.window[2:] == pytest.approx((50, 50))  # 20 pixels, twice, and a quarter more


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"recipe": 3, "crop_size": 2}', '{"recipe": {"no": 1}}'])
def test_a_card_that_cannot_be_read_gives_the_plain_way(tmp_path, text):
    (tmp_path / "card.json").write_text(text)
    assert cutting_of(tmp_path) == Recipe()
    assert cutting_of(tmp_path / "nothing") == Recipe()
    assert cutting_of(None) == Recipe()


def test_cells_and_images_that_are_gone_are_said_and_the_rest_is_shown(session):
    cells = CellRefs.joined([refs(1, 1), refs(1, 77), refs(1, 1, t=3), refs(9, 1)])
    found = CropLooks(session.look()).pictures(cells)

    assert [one.problem for one in found] == ["", NOT_THERE, NOT_THERE, GONE]


def test_an_image_without_the_channel_says_so(session):
    from dataclasses import replace

    found = CropLooks(replace(session.look(), channels=(4,))).pictures(refs(1, 1))
    assert "Channel 4 was asked for" in found[0].problem


def test_colour_pictures_keep_their_colours_and_stacks_their_planes(tmp_path):
    session = Session(tmp_path)
    pixels = np.zeros((2, 3, 60, 60, 3), dtype=np.uint8)
    pixels[1, 2, ..., 1] = 200
    pixels[0, 0] = 255
    session.add_image(from_array(pixels, "TZYXS", "colours"))
    labels = np.zeros((2, 3, 60, 60), dtype=np.int32)
    labels[1, 2, 25:35, 25:35] = 5
    session.set_labels(labels)
    one = CropLooks(session.look()).pictures(refs(1, 5, t=1))[0]
    session.close()

    assert one.problem == ""
    assert one.pixels[30, 30].argmax() == 1
    assert one.pixels[30, 30, [0, 2]].tolist() == [0, 0]


def test_tiles_of_a_contact_sheet_show_nothing_of_their_neighbours(tmp_path):
    import tifffile

    from napari_cellstage.core.folders import read_class_folders

    for name, value in (("dark", 100), ("light", 900)):
        (tmp_path / "crops" / name).mkdir(parents=True)
        for number in range(3):
            tifffile.imwrite(tmp_path / "crops" / name / f"{number}.tif", np.full((16, 16), value, np.uint16))
    session = Session(tmp_path / "home")
    image_id = session.add_sheet(read_class_folders(tmp_path / "crops"), tmp_path / "crops")
    found = CropLooks(session.look()).pictures(CellRefs.of(image_id, session.cells()))
    session.close()

    assert [len(np.unique(one.pixels)) for one in found] == [1] * 6
    assert found[0].pixels.max() < found[5].pixels.max()
    assert all(one.outline is None for one in found)


def test_cells_of_several_images_come_in_the_order_asked_for(session):
    labels = np.zeros((50, 60), dtype=np.int32)
    labels[10:20, 10:20] = 300
    other = session.add_image(from_array((labels > 0).astype(np.float32), "YX", "other"))
    session.set_labels(labels)
    cells = CellRefs.joined([refs(other, 300), refs(1, 2), refs(other, 300), refs(1, 1)])
    found = CropLooks(session.look()).pictures(cells)

    assert [one.window[0] + 0.5 for one in found] == [-25, 110, -25, 10]
    assert [one.problem for one in found] == [""] * 4
