"""What napari finds by the manifest, without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest

from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from napari_cellstage.ui import contributions
from napari_cellstage.ui.file_layers import get_image_reader
from tests.core.reading.writing import write_lif, write_plate

ROOT = Path(__file__).resolve().parents[2]


def test_the_manifest_is_valid_and_every_command_is_there():
    manifest = PluginManifest.from_distribution("napari-cellstage")
    manifest.validate_imports()
    assert [w.display_name for w in manifest.contributions.widgets] == ["Cellstage"]
    samples = [s.display_name for s in manifest.contributions.sample_data]
    assert samples == [
        "Cell cycle field (synthetic)",
        "Cell cycle movie (synthetic)",
        "Microtubules under paclitaxel (synthetic)",
        "Paper microscope photograph (synthetic)",
        "Phase contrast with stains (synthetic)",
    ]
    assert manifest.contributions.readers[0].accepts_directories
    assert manifest.contributions.writers[0].filename_extensions == [".cellstage"]


def test_the_manifest_at_the_top_is_a_link_to_the_one_in_the_package():
    link = ROOT / "napari.yaml"
    assert link.is_symlink()
    assert link.resolve() == ROOT / "src" / "napari_cellstage" / "napari.yaml"


def test_the_movie_has_time_and_a_pixel_size():
    layers = [Layer.create(*one) for one in contributions.sample_movie()]
    assert [layer.data.shape for layer in layers] == [(24, 384, 384)] * 2
    assert layers[0].scale.tolist() == [600.0, 0.4, 0.4]


@pytest.mark.parametrize("make", [contributions.sample_microtubules, contributions.sample_photograph])
def test_samples_with_cells_are_an_image_and_its_labels_with_classes(make):
    image, labels = (Layer.create(*one) for one in make())
    assert "synthetic" in image.name
    assert "synthetic" in labels.name
    assert image.data.shape[:2] == labels.data.shape
    assert image.scale.tolist() == labels.scale.tolist()
    assert image.rgb == (make is contributions.sample_photograph)
    known = labels.features.set_index("index")["class"]
    assert sorted(known.index) == [one for one in np.unique(labels.data) if one]
    assert known.nunique() == (5 if image.rgb else 3)


def test_the_sample_is_two_channels_of_the_synthetic_field():
    layers = [Layer.create(*one) for one in contributions.sample_cell_cycle()]
    assert [layer.name.split(" · ")[0] for layer in layers] == ["DNA", "tubulin"]
    assert all(layer.data.shape == (2048, 2048) for layer in layers)
    assert "synthetic" in layers[0].name


@pytest.mark.parametrize("path", ["x.tif", "missing.cellstage", ["a.cellstage", "b.cellstage"]])
def test_only_project_folders_are_read(path):
    assert contributions.get_project_reader(path) is None


@pytest.mark.parametrize("path", ["x.txt", "x.cellstage", ["a.czi", "notes.txt"], []])
def test_only_images_are_read_as_images(path):
    assert get_image_reader(path) is None


def test_every_scene_is_read_with_its_colours_sizes_and_units(tmp_path):
    scenes = {name: np.ones((3, 1, 2, 8, 9), dtype=np.uint16) for name in ("left", "right")}
    path = str(write_lif(tmp_path / "a.lif", scenes, ["Green", "Magenta"]))
    layers = [Layer.create(*one) for one in get_image_reader(path)(path)]
    assert [layer.name for layer in layers][:2] == ["Green · a.lif · left", "Magenta · a.lif · left"]
    assert len(layers) == 4
    assert layers[1].scale.tolist() == [30.0, 0.25, 0.25]
    assert [str(unit) for unit in layers[1].units] == ["second", "micrometer", "micrometer"]
    assert layers[1].colormap.map(1.0).ravel().tolist() == [1, 0, 1, 1]


def test_of_a_large_plate_the_first_field_is_shown_and_the_dock_named(tmp_path):
    field = np.ones((8, 8), dtype=np.uint8)
    plate = str(write_plate(tmp_path / "p.zarr", {"A/1": [field] * 17}, "0.4"))
    assert len(get_image_reader([plate])([plate])) == 1
    assert "17 images are in one file" in notification_manager.records[-1].message


def test_a_project_is_read_as_layers(session, model):
    session.label_cells([3], 2)
    folder = session.project.folder
    session.close()
    reader = contributions.get_project_reader(str(folder))
    image, labels = (Layer.create(*one) for one in reader(str(folder)))
    assert image.name == "field"
    assert labels.data.max() == 12
    assert labels.features.set_index("index").loc[4, "label"] == "prophase"


def test_a_movie_is_read_with_its_axes(make_session):
    session = make_session(shape=(2, 3, 40, 50), channels=2)
    folder = session.project.folder
    session.close()
    layers = [Layer.create(*one) for one in contributions.read_project(str(folder))]
    assert [layer.data.shape for layer in layers] == [(2, 3, 40, 50)] * 3


def test_layers_are_written_as_a_project(tmp_path):
    pixels, labels = np.arange(600, dtype=np.uint16).reshape(20, 30), np.zeros((20, 30), int)
    labels[5:9, 5:9] = 7
    path = str(tmp_path / "new.cellstage")
    layers = [(pixels, {"name": "DNA"}, "image"), (labels, {"name": "cells"}, "labels")]
    assert contributions.write_project(path, layers) == [path]
    session = Session(tmp_path)
    session.open_project(path)
    assert session.cells().cell_id.tolist() == [7]
    np.testing.assert_array_equal(session.current.plane(0, 0, (0,))[0], pixels)
    session.close()


def test_a_colour_picture_is_one_layer():
    stack = from_array(np.zeros((20, 30, 3), np.uint8), "YXS", "histology")
    (layer,) = (Layer.create(*one) for one in contributions.image_layers(stack))
    assert layer.rgb


def test_the_stained_sample_is_phase_contrast_and_its_stains():
    layers = [Layer.create(*one) for one in contributions.sample_stained()]
    assert [layer.name.partition(" ")[0] for layer in layers] == ["phase", "DNA", "tubulin"]
    assert all("synthetic" in layer.name for layer in layers)
