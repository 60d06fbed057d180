from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.exporting.geojson import export_geojson, features_of
from napari_cellstage.core.exporting.source import ExportError, ExportImage, ExportSource
from napari_cellstage.core.volumes import LabelVolume

from .conftest import SCHEME, driven


def never() -> bool:
    return False


def test_one_file_an_image_as_qupath_reads_it(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_geojson(source, tmp_path / "out", False, never))
    assert [file.name for file in answer.files] == ["day 1_field_ a.tif.geojson", "day 1_field_ a.tif (2).geojson"]
    read = json.loads(answer.files[0].read_text(encoding="utf-8"))
    assert read["type"] == "FeatureCollection"
    assert len(read["features"]) == 6
    first = read["features"][0]
    assert first["type"] == "Feature"
    assert first["geometry"]["type"] == "Polygon"
    assert sorted(first["geometry"]["coordinates"][0][:4]) == [[8, 8], [8, 20], [20, 8], [20, 20]]
    properties = first["properties"]
    assert properties["objectType"] == "detection"
    assert properties["classification"]["name"] == "G2/M"
    assert properties["classification"]["color"] == [int(SCHEME.by_id(1).color[i : i + 2], 16) for i in (1, 3, 5)]
    assert properties["metadata"] == {"label": "G2/M", "predicted": "S", "origin": "hand"}
    assert properties["measurements"] == pytest.approx(
        {"cell": 1, "area px": 144, "track": 1, "confidence": 0.7, "p G2/M": 0.1, "p =1+1": 0.2, "p S": 0.7}
    )


def test_holes_and_parts_are_kept(source: ExportSource) -> None:
    shapes = {
        f["properties"]["measurements"]["cell"]: f["geometry"] for f in features_of(source.images[0], source, False)
    }
    assert [len(ring) for ring in shapes[2]["coordinates"]] == [5, 5]
    assert shapes[3]["type"] == "MultiPolygon"
    assert [len(polygon) for polygon in shapes[3]["coordinates"]] == [1, 1]
    assert "plane" not in shapes[3]


def test_a_cell_without_label_shows_its_prediction_and_none_shows_none(source: ExportSource) -> None:
    features = {
        f["properties"]["measurements"]["cell"]: f["properties"] for f in features_of(source.images[0], source, False)
    }
    assert features[5]["classification"]["name"] == "S"
    assert "classification" not in features[6]
    assert features[6]["metadata"] == {}


def test_cells_in_depth_and_time_lie_in_their_plane(source: ExportSource) -> None:
    labels = np.zeros((2, 3, 9, 9), np.int32)
    labels[1, 1, 2:5, 2:5] = labels[1, 2, 1:8, 1:8] = 7
    image = ExportImage(1, "z", CellTable.from_labels(labels), np.array([1]), labels=LabelVolume.of(labels))
    (feature,) = features_of(image, source, False)
    assert feature["geometry"]["plane"] == {"c": -1, "z": 2, "t": 1}
    assert [1, 1] in feature["geometry"]["coordinates"][0]


def test_one_file_for_all_and_blocks_beyond_one(source: ExportSource, tmp_path: Path) -> None:
    labels = np.zeros((1, 1, 40, 2500), np.int32)
    for cell in range(60):
        labels[0, 0, 5:30, cell * 40 + 3 : cell * 40 + 33] = cell + 1
    cells = CellTable.from_labels(labels)
    wide = ExportImage(3, "wide", cells, np.ones(60, dtype=np.int64), labels=LabelVolume.of(labels))
    answer = driven(export_geojson(replace(source, images=(*source.images, wide)), tmp_path / "all.json", True, never))
    features = json.loads((tmp_path / "all.json").read_text())["features"]
    assert (answer.cells, len(features)) == (68, 68)
    assert {f["properties"]["image"] for f in features} == {"day 1/field: a.tif", "wide"}
    assert len({f["id"] for f in features}) == 68
    for feature in features[8:]:
        cell = int(feature["properties"]["measurements"]["cell"])
        assert min(x for x, _ in feature["geometry"]["coordinates"][0]) == (cell - 1) * 40 + 3


def test_cells_that_cannot_be_read_are_named(source: ExportSource, tmp_path: Path) -> None:
    bad = replace(source.images[0], labels=None, name="bad")
    answer = driven(export_geojson(replace(source, images=(bad, source.images[1])), tmp_path / "a", False, never))
    assert (answer.cells, answer.notes) == (6, ("The cells of 'bad' can't be read, so they have no outlines.",))
    with pytest.raises(
        ExportError, match=r"The cells of bad can't be read, so they have no outlines\. Find them again"
    ):
        driven(export_geojson(replace(source, images=(bad,)), tmp_path / "b", False, never))
