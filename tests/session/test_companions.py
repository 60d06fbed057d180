"""Cells of images from label images beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.images import open_image
from napari_cellstage.core.label_companions import Companion
from napari_cellstage.session import Session
from napari_cellstage.session.companions import Adopted, Adoption, adopting, cells_of


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path / "home")
    yield session
    session.close()


def pair(folder: Path, name: str, number: int = 1, shape: tuple[int, int] = (30, 40)) -> Companion:
    noise = np.random.default_rng(len(name)).integers(0, 255, (30, 40)).astype(np.uint8)
    tifffile.imwrite(folder / f"{name}.tif", noise)
    labels = np.zeros(shape, np.uint16)
    labels[5:15, 5:15], labels[5:15, 20:30] = number, number + 1
    tifffile.imwrite(folder / f"{name}_labels.tif", labels)
    return Companion(folder / f"{name}.tif", folder / f"{name}_labels.tif")


def adopt(session: Session, companions: list[Companion], anew: bool = False) -> Adoption:
    work = adopting(session, companions, anew)(lambda: False)
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if isinstance(event, Adopted):
            event.put(session)


def test_images_get_the_cells_beside_them(session: Session, tmp_path: Path) -> None:
    companions = [pair(tmp_path, name) for name in ("a", "b")]
    session.add_images([open_image(one.image) for one in companions])
    made = adopt(session, companions)
    assert made.sentences == ("2 images got 4 cells from the label images beside them.",)
    assert [state.cells for state in session.image_states()] == [2, 2]
    assert cells_of(session, companions) == 2


def test_cells_that_are_there_are_kept_until_they_are_to_be_replaced(session: Session, tmp_path: Path) -> None:
    one = pair(tmp_path, "a")
    session.add_image(open_image(one.image))
    session.set_labels(tifffile.imread(one.labels) * 5)
    class_id = session.add_class("x")
    session.label_cells([1], class_id)
    made = adopt(session, [one])
    assert (made.images, made.kept) == (0, 1)
    assert "1 image had cells already, and kept them. To replace them open the label images alone." in made.sentences
    assert session.cells().cell_id.tolist() == [5, 10]
    adopt(session, [one], anew=True)
    assert session.cells().cell_id.tolist() == [1, 2]
    assert session.class_ids().tolist() == [0, class_id], "a label goes with its cell"
    session.undo()
    assert session.cells().cell_id.tolist() == [5, 10]
    assert session.class_ids().tolist() == [0, class_id]


def test_what_does_not_fit_is_said_and_the_rest_goes_on(session: Session, tmp_path: Path) -> None:
    small, good, shut = pair(tmp_path, "a", shape=(30, 35)), pair(tmp_path, "b"), pair(tmp_path, "c")
    session.add_images([open_image(small.image), open_image(good.image)])
    made = adopt(session, [small, good, shut])
    assert made.images == 1
    wrong, closed = sorted(made.problems, key=len, reverse=True)
    assert "a_labels.tif: The labels have the shape (30, 35), but 'a.tif' needs" in wrong
    assert closed.startswith("'c_labels.tif' was left out: 'c.tif' is not open as an image of its own. Open that first")


def test_a_missing_image_is_said(session: Session, tmp_path: Path) -> None:
    one = pair(tmp_path, "a")
    folder = tmp_path / "p"
    session.new_project(folder)
    session.add_image(open_image(one.image))
    session.close()
    one.image.unlink()
    session.open_project(folder.with_suffix(".cellstage"))
    assert "the file of its image is missing" in adopt(session, [one]).problems[0]


def test_a_guess_of_the_channel_is_no_choice(session: Session, tmp_path: Path) -> None:
    two = np.zeros((2, 9, 9), np.uint8)
    tifffile.imwrite(tmp_path / "two.tif", two, metadata={"axes": "CYX"}, photometric="minisblack")
    named = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "named.ome.tif", two, metadata=named, photometric="minisblack")
    plain, dapi = session.add_images([open_image(tmp_path / "two.tif"), open_image(tmp_path / "named.ome.tif")])
    session.suggest_channels({2: 1})
    session.suggest_channels({2: 0})
    assert session.find_channel == 1, "the first guess stays"
    session.set_current(dapi)
    assert session.find_channel == 0, "a name goes before a guess"
    session.find_channel = 1
    assert session.find_channel == 1, "the user's choice goes before a name"
    session.set_current(plain)
    session.find_channel = 0
    assert session.find_channel == 0
