"""Images of a session: moved, missing, and the channels that are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.session import Session
from tests.session.scene import grid, watch


def test_an_image_that_moved_keeps_its_labels(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "my field.tif"
    tifffile.imwrite(path, np.zeros((30, 30), dtype=np.uint8))
    number = session.add_image(open_image(path))
    session.add_class("a")
    session.set_labels(grid()[0, 0])
    session.label_cells([4], 1)
    assert session.project is not None
    folder = session.project.folder
    session.close()
    path.rename(tmp_path / "elsewhere.tif")
    session.open_project(folder)
    assert session.current is None
    assert "my field.tif" in session.images[0].missing
    assert session.problems == (session.images[0].missing,)
    assert session.class_ids()[4] == 1
    assert len(session.snapshot().images) == 0
    tifffile.imwrite(tmp_path / "wrong.tif", np.zeros((31, 30), dtype=np.uint8))
    with pytest.raises(ImageError, match="Choose the file that was labelled"):
        session.relocate(number, tmp_path / "wrong.tif")
    heard = watch(session, "images_changed", "current_changed")
    session.relocate(number, tmp_path / "elsewhere.tif")
    assert len(heard) == 2
    assert session.current is not None
    assert session.problems == ()
    assert len(session.snapshot().images) == 1


def test_the_nuclear_channel_is_the_start(ready: Session) -> None:
    assert ready.find_channel == 1
    heard = watch(ready, "settings_changed")
    ready.find_channel = 0
    ready.network_channels = (1, 1)
    assert (ready.find_channel, ready.network_channels, len(heard)) == (0, (1,), 2)
    ready.network_channels = (7,)  # chosen for an image with more channels
    assert ready.network_channels == (0, 1)


def test_images_of_other_channels_have_their_own_choice(ready: Session) -> None:
    ready.find_channel, ready.network_channels = 0, (1,)
    four = np.zeros((4, 30, 30), dtype=np.uint8)
    names = ("a", "b", "DAPI", "d")
    second = ready.add_image(from_array(four, "CYX", "four", channel_names=names))
    assert (ready.find_channel, ready.network_channels) == (2, (0, 1, 2, 3))
    ready.network_channels = (2, 3)
    ready.set_current(1)
    assert (ready.find_channel, ready.network_channels) == (0, (1,))
    ready.set_current(second)
    assert ready.network_channels == (2, 3)
