"""Layers of predicted stains: named as predicted, in their colours, between the image and its cells."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellstage.core import volumes
from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from napari_cellstage.ui import channel_layers, lazy_codes, predicted_layers
from napari_cellstage.ui.viewer_link import ViewerLink
from tests.core.stain_scene import prediction_for
from tests.ui.conftest import grid_labels

DNA = "DNA (predicted)"
Make = Callable[..., Session]


def names(viewer: ViewerModel) -> list[str]:
    return [layer.name for layer in viewer.layers]


@pytest.fixture
def session(make_session: Make) -> Session:
    """Cells on dark ground, as in fluorescence."""
    made = make_session(cells=False)
    dark = np.random.default_rng(0).exponential(100, (40, 50)).astype(np.uint16)
    made.add_image(from_array(dark, "YX", "field"))
    made.set_labels(grid_labels((1, 1, 40, 50)))
    return made


def stain(session: Session, *stains: str, run: str = "first", **said: Any) -> None:
    session.add_stains(session.current_id, prediction_for(session.current, stains or ("DNA",), **said), run)


def test_a_stain_is_seen_at_once_above_the_image_and_under_the_cells(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    image = model.layers["field"]
    active = model.layers.selection.active
    stain(session)
    assert names(model) == ["field", DNA, "Cells", "Labelled"]
    assert model.layers["field"] is image, "the image's own layer stays"
    assert model.layers.selection.active is active
    assert model.layers[DNA].visible
    assert image.visible
    assert np.array_equal(np.asarray(model.layers[DNA].data), session.current.volume(0, 1)[0])
    assert "no measured stain" in model.layers[DNA].metadata["predicted"]


def test_several_have_their_own_colours_and_one_goes_alone(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    stain(session, "DNA", "MAP2")
    stain(session, run="second")
    wanted = [DNA, "MAP2 (predicted)", "DNA (predicted by second)"]
    assert names(model)[1:4] == wanted
    assert model.layers["field"].visible
    colours = [tuple(model.layers[name].colormap.colors[-1]) for name in wanted]
    assert len(set(colours)) == 3
    kept = model.layers[DNA]
    session.remove_stain(session.current_id, "MAP2 (predicted)")
    assert names(model)[1:3] == [DNA, "DNA (predicted by second)"]
    assert model.layers[DNA] is kept


def test_predicted_anew_the_layer_shows_the_new_values(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    stain(session)
    layer = model.layers[DNA]
    stain(session, seed=5)
    assert model.layers[DNA] is layer
    assert np.array_equal(np.asarray(layer.data), session.current.volume(0, 1)[0])


def test_the_stain_that_cells_are_found_in_is_in_front(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    stain(session)
    colour = model.layers[DNA].colormap.colors[-1]
    session.find_channel = 1
    assert (model.layers["field"].visible, model.layers[DNA].colormap.name) == (False, "gray")
    session.find_channel = 0
    assert model.layers["field"].visible
    assert np.array_equal(model.layers[DNA].colormap.colors[-1], colour)


def test_transmitted_light_makes_way_for_a_stain_and_comes_back(model: ViewerModel, make_session: Make) -> None:
    session = make_session(cells=False)
    bright = np.random.default_rng(0).normal(900, 50, (40, 50)).astype(np.float32)
    session.add_image(from_array(bright, "YX", "light"))
    link = ViewerLink(model, session)
    stain(session)
    assert (model.layers["light"].visible, model.layers[DNA].visible) == (False, True)
    session.remove_stain(session.current_id, DNA)
    assert model.layers["light"].visible
    link.close()


def test_the_stain_in_front_hides_the_others(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    stain(session, "DNA", "MAP2")
    session.find_channel = 1
    assert [layer.visible for layer in link.layers.channels] == [False, True, False]
    session.find_channel = 0
    assert [layer.visible for layer in link.layers.channels] == [True, False, False]


def test_an_image_without_the_stain_that_was_in_front_is_still_seen(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    first = session.current_id
    stain(session)
    session.find_channel = 1
    session.add_image(from_array(np.ones((40, 50), dtype=np.uint16), "YX", "other"))
    assert names(model) == ["other"]
    assert model.layers["other"].visible
    session.set_current(first)
    assert model.layers[DNA].visible
    assert not model.layers["field"].visible


def test_shown_again_they_wait_hidden(model: ViewerModel, session: Session) -> None:
    stain(session)
    link = ViewerLink(model, session)
    assert not model.layers[DNA].visible, "over a tinted picture no class colour can be told"
    link.close()
    assert not len(model.layers)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_stack_shows_its_stain_in_every_plane(model: ViewerModel, make_session: Make, depth: int) -> None:
    session = make_session((2, 3, 40, 50), channels=2)
    link = ViewerLink(model, session)
    stain(session, depth=depth)
    layer = model.layers[DNA]
    assert layer.data.shape == (2, 3, 40, 50)
    assert np.array_equal(np.asarray(layer.data[1, 2]), session.current.volume(1, 2)[2])
    link.close()


def test_a_movie_of_which_a_part_was_predicted(model: ViewerModel, make_session: Make) -> None:
    session = make_session((3, 1, 40, 50))
    link = ViewerLink(model, session)
    stain(session, times=(2,))
    assert np.isnan(np.asarray(model.layers[DNA].data[0])).all()
    assert np.isfinite(np.asarray(model.layers[DNA].data[2])).all()
    low, high = model.layers[DNA].contrast_limits
    assert high - low > 10
    link.close()


def test_a_colour_picture_keeps_its_layer(model: ViewerModel, make_session: Make) -> None:
    session = make_session(cells=False)
    picture = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    session.add_image(from_array(picture, "YXS", "picture"))
    link = ViewerLink(model, session)
    stain(session)
    assert names(model) == ["picture", DNA]
    assert np.array_equal(np.asarray(model.layers["picture"].data), picture)
    assert model.layers["picture"].rgb
    session.find_channel = 3
    assert [layer.visible for layer in model.layers] == [True, True]
    link.close()


def test_a_large_image_has_its_stain_in_resolutions(
    model: ViewerModel, make_session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_codes, "LARGEST_SIDE", 200)
    monkeypatch.setattr(channel_layers, "SCREEN", 100)
    monkeypatch.setattr(predicted_layers, "SCREEN", 100)
    monkeypatch.setattr(volumes, "_COARSEST", 100)
    session = make_session((1, 1, 301, 250), cells=False)
    link = ViewerLink(model, session)
    stain(session)
    shown = model.layers[DNA]
    assert shown.multiscale
    whole = session.current.volume(0, 1)[0]
    assert len(shown.data) == 3
    for level, pixels in enumerate(shown.data):
        assert np.array_equal(np.asarray(pixels), whole[:: 2**level, :: 2**level])
    width = link.layers.predicted.show_map(session.stain_channel(session.current_id, DNA), "uncertainty")
    assert width.multiscale
    assert [level.shape for level in width.data] == [(301, 250), (151, 125), (76, 63)]
    link.close()


def test_the_users_own_layer_gets_stains_upon_it(model: ViewerModel, make_session: Make) -> None:
    session = make_session(cells=False)
    own = model.add_image(np.zeros((40, 50)), name="mine", scale=(2, 2))
    link = ViewerLink(model, session)
    link.use_layer(own, session.current_id)
    stain(session)
    assert names(model) == ["mine", DNA]
    assert np.allclose(model.layers[DNA].scale, (2, 2))
    link.close()
    assert names(model) == ["mine"]


def test_maps_of_trust_come_and_go(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    stain(session)
    channel = session.stain_channel(session.current_id, DNA)
    shown = link.layers.predicted.show_map(channel, "unlike")
    assert shown.name == f"{DNA}: unlike training images"
    assert np.allclose(shown.scale, (16, 16))
    assert np.allclose(shown.translate, (7.5, 7.5)), "its first pixel lies over the first 16 of the image"
    width = link.layers.predicted.show_map(channel, "uncertainty")
    assert np.array_equal(np.asarray(width.data), channel.planes("uncertainty", session.current.shape)[0, 0, 0])
    assert link.layers.predicted.show_map(channel, "uncertainty") is width
    assert width in link.layers.made_here
    assert link.layers.predicted.show_map(channel, "unlike", on=False) is None
    assert shown not in model.layers
    session.remove_stain(session.current_id, DNA)
    assert width not in model.layers


def test_a_stain_that_cannot_be_read_is_told_and_the_rest_is_shown(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    stain(session)
    link.close()
    folder = session.project.folder
    shutil.rmtree(next((folder / "stains").glob("*.zarr")) / "mean-0" / "c")
    session.close()
    session.open_project(folder)
    told: list[Any] = []
    again = ViewerLink(model, session, told.append)
    assert names(model) == ["field", "Cells", "Labelled"]
    assert "a part of it is lost" in str(told[0])
    again.close()


def test_the_stain_in_front_can_go_and_so_can_one_before_it(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    stain(session, "DNA", "MAP2")
    session.find_channel = 2
    session.remove_stain(session.current_id, DNA)
    assert [(layer.name, layer.visible) for layer in link.layers.channels] == [
        ("field", False),
        ("MAP2 (predicted)", True),
    ]
    session.remove_stain(session.current_id, "MAP2 (predicted)")
    assert [(layer.name, layer.visible) for layer in link.layers.channels] == [("field", True)]


def test_the_stain_in_front_is_seen_after_an_image_of_another_kind(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    first = session.current_id
    stain(session)
    session.find_channel = 1
    movie = np.random.default_rng(0).exponential(100, (3, 40, 50)).astype(np.uint16)
    session.add_image(from_array(movie, "TYX", "movie"))
    stain(session)
    session.set_current(first)
    assert model.layers[DNA].visible


def test_each_image_has_its_own_note(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    stain(session)
    session.add_image(from_array(np.ones((40, 50), dtype=np.uint16), "YX", "other"))
    stain(session, run="second")
    assert "'second'" in model.layers[DNA].metadata["predicted"]
    session.set_current(session.images[1].image_id)
    assert "'first'" in model.layers[DNA].metadata["predicted"]
