"""napari layers follow the session."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.lazy_codes import LazyCodes
from napari_cellstage.ui.marker import RING
from napari_cellstage.ui.overlay import FIRST_CLASS, NO_LABEL, RIM
from napari_cellstage.ui.overlay_settings import OverlaySettings
from napari_cellstage.ui.viewer_link import ViewerLink

Predict = Callable[[Session], Predictions]


def names(viewer: ViewerModel) -> list[str]:
    return [layer.name for layer in viewer.layers]


def colour_at(viewer: ViewerModel, name: str, *place: int) -> list[float]:
    """The colour that a pixel of a layer is painted in."""
    layer = viewer.layers[name]
    return layer.colormap.map(np.asarray(layer.data[place])).ravel().tolist()


def test_layers_of_an_image_with_cells(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    assert names(model) == ["field", "Cells", "Labelled"]
    assert model.layers.selection.active is model.layers["field"]
    assert model.layers["Labelled"].data.dtype == np.uint8
    assert not model.layers["Cells"].editable
    assert model.dims.ndim == 2


def test_one_layer_a_channel_and_the_nuclei_in_front(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(channels=3, cells=False)
    link = ViewerLink(model, session)
    assert len(model.layers) == 3
    assert [layer.visible for layer in model.layers] == [True, False, False]
    assert model.layers[0].colormap.name == "gray"
    session.find_channel = 2
    assert [layer.visible for layer in model.layers] == [False, False, True]
    assert [layer.colormap.name == "gray" for layer in model.layers] == [False, False, True]
    link.close()


def test_colour_picture_is_one_layer(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(cells=False)
    session.add_image(from_array(np.zeros((6, 7, 3), dtype=np.uint8), "YXS", "picture"))
    link = ViewerLink(model, session)
    assert names(model) == ["picture"]
    assert model.layers[0].rgb
    link.close()


def test_a_constant_or_empty_of_numbers_image_can_be_shown(
    model: ViewerModel, make_session: Callable[..., Session]
) -> None:
    session = make_session(cells=False)
    link = ViewerLink(model, session)
    session.add_image(from_array(np.full((5, 5), np.nan, dtype=np.float32), "YX", "nothing"))
    session.add_image(from_array(np.zeros((5, 5), dtype=bool), "YX", "mask"))
    session.add_image(from_array(np.full((5, 5), 7, dtype=np.uint8), "YX", "constant"))
    assert names(model) == ["constant"]
    link.close()


def test_labelling_changes_the_pixels_of_that_cell_only(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    before = model.layers["Labelled"].data.copy()
    session.label_cells([1], session.scheme.ids[2])
    changed = model.layers["Labelled"].data != before
    assert np.array_equal(changed & (session.labels()[0, 0] != 2), np.zeros_like(changed))
    assert changed.any()
    wanted = [int(session.scheme.by_id(session.scheme.ids[2]).color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    assert colour_at(model, "Labelled", 3, 18) == pytest.approx([*wanted, 1.0], abs=0.01)


@pytest.mark.parametrize("many", [1, 5])
def test_few_cells_are_painted_as_all_are(
    model: ViewerModel, session: Session, link: ViewerLink, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.label_cells(np.arange(many), session.scheme.ids[1])
    piecemeal = model.layers["Labelled"].data.copy()
    link.layers.rebuild()
    assert np.array_equal(piecemeal, model.layers["Labelled"].data)


def test_many_cells_at_once(model: ViewerModel, session: Session, link: ViewerLink, monkeypatch) -> None:
    monkeypatch.setattr("napari_cellstage.ui.overlay_layer.ROWS_ONE_BY_ONE", 2)
    session.label_cells(np.arange(12), session.scheme.ids[0])
    assert not (model.layers["Labelled"].data == NO_LABEL).any()
    session.undo()
    assert set(np.unique(model.layers["Labelled"].data)) == {0, NO_LABEL}


def test_labels_given_while_the_layer_is_hidden_are_there_when_it_is_shown(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    layer = model.layers["Labelled"]
    layer.visible = False
    session.label_cells([0], session.scheme.ids[0])
    layer.visible = True
    assert (layer._slice.image.view[2:10, 2:10] == FIRST_CLASS).any()


def test_the_painted_slice_is_the_array(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    session.label_cells([3], session.scheme.ids[4])
    layer = model.layers["Labelled"]
    assert np.array_equal(layer._slice.image.view, layer.data)


def test_predictions_come_go_and_lie_under_the_labels(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    predict(session)
    assert names(model) == ["field", "Cells", "Predicted", "Labelled"]
    session.set_labels(np.zeros((40, 50), dtype=np.int32))
    assert "Predicted" not in names(model)


def test_the_users_active_layer_stays_active(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    own = model.add_points(np.zeros((1, 2)))
    predict(session)
    link.selected_row = 2
    assert model.layers.selection.active is own


def test_predicted_settings(model: ViewerModel, session: Session, link: ViewerLink, predict: Predict) -> None:
    predict(session)
    filled = np.count_nonzero(model.layers["Predicted"].data)
    link.set_settings(replace(link.settings, style="contour"))
    assert 0 < np.count_nonzero(model.layers["Predicted"].data) < filled
    link.set_settings(OverlaySettings(show_predicted=False))
    assert not model.layers["Predicted"].visible
    link.set_settings(OverlaySettings(show_labelled=False, show_outlines=False))
    assert not model.layers["Labelled"].visible
    assert model.layers["Predicted"].visible


def test_a_higher_threshold_makes_more_cells_unsure(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    predict(session)
    shown = []
    for threshold in (0.0, 0.6, 1.0):
        link.set_settings(replace(link.settings, unsure_below=threshold))
        shown.append(np.count_nonzero(model.layers["Predicted"].data >= FIRST_CLASS))
    assert shown[0] > shown[1] > shown[2] == 0


def test_sixteen_classes_change_the_array_to_two_bytes(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    predict(session)
    assert model.layers["Predicted"].data.dtype == np.uint8
    for number in range(12):
        session.add_class(f"more {number}")
    assert model.layers["Predicted"].data.dtype == np.uint16
    assert model.layers["Predicted"].data.max() > 2


def test_recolouring_a_class_recolours_its_cells(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    first = session.scheme.ids[0]
    session.label_cells([0], first)
    session.recolor_class(first, "#ff0000")
    assert colour_at(model, "Labelled", 3, 5) == pytest.approx([1, 0, 0, 1])


def test_deleting_a_class_takes_its_cells_labels(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    session.label_cells([0], session.scheme.ids[0])
    session.delete_class(session.scheme.ids[0])
    assert set(np.unique(model.layers["Labelled"].data)) == {0, NO_LABEL}


def test_large_cells_have_a_rim(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(cells=False, shape=(1, 1, 60, 60))
    labels = np.zeros((60, 60), dtype=np.int32)
    labels[5:50, 5:50] = 1
    session.set_labels(labels)
    link = ViewerLink(model, session)
    session.label_cells([0], session.scheme.ids[0])
    data = model.layers["Labelled"].data
    assert data[20, 5] == RIM
    assert data[20, 7] == FIRST_CLASS
    assert data[20, 25] == 0
    link.close()


def test_a_layer_that_the_user_removed_is_no_error(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    predict(session)
    for name in ("Predicted", "Labelled", "Cells", "field"):
        model.layers.remove(name)
    session.label_cells([0], session.scheme.ids[0])
    predict(session)
    link.set_settings(replace(link.settings, style="contour"))
    link.selected_row = 1
    session.undo()
    assert "Predicted" in names(model)


def test_stack_overlay_is_lazy_and_follows_the_sliders(
    model: ViewerModel, make_session: Callable[..., Session], predict: Predict
) -> None:
    session = make_session(shape=(3, 2, 30, 30))
    link = ViewerLink(model, session)
    predict(session)
    layer = model.layers["Labelled"]
    assert isinstance(layer.data, LazyCodes)
    assert layer.data.shape == (3, 2, 30, 30)
    row = session.cells().row(1, 1)
    model.dims.set_point(0, 1)
    session.label_cells([row], session.scheme.ids[0])
    assert FIRST_CLASS in layer._slice.image.view
    model.dims.set_point(0, 2)
    assert FIRST_CLASS not in layer._slice.image.view
    model.dims.set_point(0, 1)
    session.undo()
    assert FIRST_CLASS not in layer._slice.image.view
    link.close()


def test_stack_in_three_dimensions(model: ViewerModel, make_session: Callable[..., Session], predict: Predict) -> None:
    session = make_session(shape=(1, 4, 30, 30))
    link = ViewerLink(model, session)
    predict(session)
    model.dims.ndisplay = 3
    session.label_cells([0], session.scheme.ids[0])
    assert model.layers["Labelled"]._slice.image.view.shape == (4, 30, 30)
    assert FIRST_CLASS in model.layers["Labelled"]._slice.image.view
    link.close()


def test_one_plane_shown_in_three_dimensions_can_be_labelled(
    model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    model.dims.ndisplay = 3
    session.label_cells([0], session.scheme.ids[0])
    assert FIRST_CLASS in model.layers["Labelled"].data


def test_users_own_layer_gives_scale_and_place(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(cells=False)
    own = model.add_image(np.zeros((40, 50)), scale=(0.5, 0.25), translate=(3, 4), name="mine")
    link = ViewerLink(model, session)
    link.use_layer(own, session.current_id)
    session.set_labels(np.ones((40, 50), dtype=np.int32))
    assert names(model) == ["mine", "Cells", "Labelled"]
    assert model.layers["Labelled"].scale.tolist() == [0.5, 0.25]
    assert model.layers["Labelled"].translate.tolist() == [3, 4]
    assert own not in link.layers.made_here
    link.close()
    assert names(model) == ["mine"]


def test_users_own_layer_of_other_axes_is_not_used(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(cells=False, shape=(3, 1, 40, 50), channels=2)
    own = model.add_image(np.zeros((3, 2, 40, 50)), name="mine")
    link = ViewerLink(model, session)
    link.use_layer(own, session.current_id)
    assert len(model.layers) == 3
    link.close()


def test_pixel_size_is_the_scale(model: ViewerModel, make_session: Callable[..., Session]) -> None:
    session = make_session(cells=False)
    session.add_image(
        from_array(np.zeros((2, 4, 6, 6), dtype=np.uint8), "TZYX", "small", pixel_size_um=(2.0, 0.5, 0.5))
    )
    link = ViewerLink(model, session)
    assert model.layers[0].scale.tolist() == [1, 2, 0.5, 0.5]
    link.close()


def test_choosing_the_same_image_again_keeps_the_layers(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    before = list(model.layers)
    session.set_current(session.current_id)
    assert list(model.layers) == before


def test_another_image_and_a_closed_project(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    session.add_image(from_array(np.zeros((9, 9), dtype=np.uint8), "YX", "other"))
    assert names(model) == ["other"]
    session.close()
    assert names(model) == []


def test_another_project_comes_in_while_labelled_cells_are_shown(
    model: ViewerModel, session: Session, link: ViewerLink, tmp_path: Path
) -> None:
    session.label_cells([0], 1)
    first = session.project.folder
    session.new_project(tmp_path / "other")
    assert not list(model.layers)
    session.open_project(first)
    assert model.layers["Labelled"].visible


def test_close_leaves_only_the_users_layers(
    model: ViewerModel, make_session: Callable[..., Session], predict: Predict
) -> None:
    session = make_session()
    model.add_image(np.zeros((5, 5)), name="mine")
    link = ViewerLink(model, session)
    predict(session)
    link.selected_row = 0
    link.close()
    assert names(model) == ["mine"]
    session.label_cells([0], session.scheme.ids[0])  # nobody listens any more
    assert names(model) == ["mine"]


def test_features_are_the_sessions_table(
    model: ViewerModel, session: Session, link: ViewerLink, predict: Predict
) -> None:
    answer = predict(session)
    session.label_cells([4], session.scheme.ids[3])
    link.layers.flush_features()
    table = model.layers["Cells"].features
    assert table["index"].tolist() == session.cells().cell_id.tolist()
    assert table["label"][4] == "metaphase"
    assert table["confidence"].to_numpy() == pytest.approx(answer.confidence)
    assert {"predicted", "p_metaphase"} <= set(table)
    session.label_cells([4, 5], session.scheme.ids[0])
    link.layers.flush_features()
    assert model.layers["Cells"].features["label"].tolist()[4:6] == ["interphase", "interphase"]


def test_features_are_not_written_during_a_key_press(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    link.layers.flush_features()
    session.label_cells([4], session.scheme.ids[3])
    assert model.layers["Cells"].features["label"][4] == ""


def test_pixels_that_can_not_be_read_are_told_and_the_cells_stay(
    model: ViewerModel, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "gone.tif"
    tifffile.imwrite(path, np.zeros((2, 20, 20), dtype=np.uint8), metadata={"axes": "CYX"})
    said: list[CellStageError] = []
    link = ViewerLink(model, session, said.append)
    first = session.current_id
    stack = open_image(path)
    path.unlink()
    session.add_image(stack)
    assert names(model) == []
    assert "The pixels of 'gone.tif' can't be read" in str(said[0])
    session.set_current(first)
    assert names(model) == ["field", "Cells", "Labelled"]
    link.close()


# ---- units, names of axes, where an image begins


def units_of(viewer: ViewerModel) -> set[tuple[str, ...]]:
    return {tuple(map(str, layer.units)) for layer in viewer.layers}


@pytest.mark.parametrize("cells", [True, False], ids=["with cells", "without"])
def test_all_layers_have_the_units_of_the_image_that_is_shown(
    cells: bool, model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    labels = session.labels()[0, 0]
    link.layers.mark(0)
    calibrated = from_array(np.eye(*labels.shape), "YX", "with µm", pixel_size_um=(1.0, 0.5, 0.5))
    sizes = [calibrated, replace(calibrated, name="without", pixel_size_um=None, fingerprint="other"), calibrated]
    for stack, unit in zip(sizes, ("micrometer", "pixel", "micrometer"), strict=True):
        image_id = session.add_image(stack)
        if cells:
            session.set_labels(labels, image_id)
            link.layers.mark(0)
        assert units_of(model) == {(unit, unit)}


def test_overlays_have_the_units_of_the_users_own_layer(model: ViewerModel, make_session) -> None:
    session = make_session()
    own = model.add_image(np.asarray(session.current.data)[0, 0, 0], scale=(0.5, 0.5), units=("um", "um"))
    link = ViewerLink(model, session)
    link.layers.use_layer(own, session.current_id)
    assert units_of(model) == {("micrometer", "micrometer")}
    link.close()


@pytest.mark.parametrize(
    ("axes", "shape", "labels", "step"),
    [
        ("TYX", (9, 20, 20), ("time", "y", "x"), (0,)),
        ("ZYX", (9, 20, 20), ("z", "y", "x"), (4,)),
        ("TZYX", (9, 5, 20, 20), ("time", "z", "y", "x"), (0, 2)),
    ],
)
def test_sliders_are_named_and_a_movie_begins_at_its_beginning(
    axes: str,
    shape: tuple[int, ...],
    labels: tuple[str, ...],
    step: tuple[int, ...],
    model: ViewerModel,
    session: Session,
) -> None:
    link = ViewerLink(model, session)
    session.add_image(from_array(np.zeros(shape), axes, "one"))
    assert model.dims.axis_labels == labels
    assert model.dims.current_step[:-2] == step
    model.dims.set_current_step(0, 3)
    session.add_image(from_array(np.ones(shape), axes, "the next of the same kind"))
    assert model.dims.current_step[0] == 3
    link.close()


@pytest.mark.parametrize("zoom", [0.1, 1.0, 30.0])
def test_the_ring_is_as_thick_on_the_screen_at_any_zoom(
    zoom: float, model: ViewerModel, session: Session, link: ViewerLink
) -> None:
    link.layers.mark(0, 1)
    model.scene.camera.zoom = zoom
    ring = model.layers["Selected cell"]
    pixels = zoom * ring.scale[-1]  # of the screen, for one of the image
    np.testing.assert_allclose(np.asarray(ring.border_width) * pixels, RING, rtol=1e-5)
    assert (np.asarray(ring.size) * pixels >= 23.9).all()
    assert (np.asarray(ring.size) > 8).all()
