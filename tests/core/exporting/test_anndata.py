from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from napari_cellstage.core.errors import MissingExtraError
from napari_cellstage.core.exporting.source import ExportError, ExportSource
from napari_cellstage.core.images import from_array
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.measured import export_anndata
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import save_run

from .conftest import SCHEME, driven, export_image


def never() -> bool:
    return False


def test_cells_read_back_with_features_table_places_and_colours(source: ExportSource, tmp_path: Path) -> None:
    out = tmp_path / "cells.h5ad"
    answer = driven(export_anndata(source, out, False, never))
    read = anndata.read_h5ad(out)
    assert (answer.cells, read.n_obs) == (12, 12)
    assert read.n_vars > 100
    assert read.var_names.is_unique
    assert read.obs_names[:2].tolist() == ["1/0/1", "1/0/2"]
    assert np.isfinite(read.X).all()
    assert read.obs["label"].cat.categories.tolist() == ["G2/M", "=1+1", "S"]
    assert read.obs["label"].isna().sum() == 4
    assert read.obs["dose"].iloc[0] == "0.1 µM"
    assert read.obsm["spatial"][0].tolist() == [13.5, 13.5]
    assert read.obsm["spatial_um"][0].tolist() == [3.375, 6.75]
    np.testing.assert_allclose(read.obsm["probabilities"][0], [0.1, 0.2, 0.7], rtol=1e-5)
    assert read.uns["label_colors"].tolist() == [one.color for one in SCHEME]
    assert read.uns["classes"].tolist() == list(SCHEME.names)
    assert "X_embedding" not in read.obsm
    assert answer.notes[-1].startswith("There is no X_embedding: it comes from a network, so train one first")


def test_labelled_cells_alone_and_images_that_do_not_fit(source: ExportSource, tmp_path: Path) -> None:
    flat = export_image(3, "flat", channels=1)
    gone = replace(source.images[1], stack=None, name="gone")
    mixed = replace(source, images=(source.images[0], flat, gone))
    answer = driven(export_anndata(mixed, tmp_path / "cells.h5ad", True, never))
    assert answer.cells == 4
    assert answer.notes[0].startswith("'flat' has 1 channels, fewer than the model sees")
    assert answer.notes[1] == "The file of 'gone' is missing, so its cells were not measured."
    with pytest.raises(ExportError, match=r"No cell can be measured: The file of 'gone' is missing"):
        next(export_anndata(replace(source, images=(gone,)), tmp_path / "b.h5ad", True, never))


def test_a_stop_writes_nothing(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_anndata(source, tmp_path / "cells.h5ad", False, lambda: True))
    assert (answer.stopped, list(tmp_path.iterdir())) == (True, [])


def test_the_embedding_comes_from_the_latest_network(source: ExportSource, tmp_path: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 4000, (12, 2, 32, 32)).astype(np.uint16)
    training = TrainingSet(
        crops, None, np.arange(12) % 2, np.arange(12).astype(str), SCHEME.remove(3), (0, 1), ("a", "b"), ("",) * 12
    )
    recipe = Recipe.load("finetune").but(
        weights="none", network="mobilenet_v3_small", epochs=1, crop_size=32, device="cpu", views=1
    )
    work = fit(training, recipe)
    while True:
        try:
            next(work)
        except StopIteration as end:
            model = end.value
            break
    (tmp_path / "runs" / "2026-01-02_network").mkdir(parents=True)
    (tmp_path / "runs" / "2026-01-03_broken").mkdir()
    (tmp_path / "runs" / "2026-01-03_broken" / "card.json").write_text("{")
    save_run(tmp_path / "runs" / "2026-01-02_network", model, [])
    with_runs = replace(source, runs=tmp_path / "runs")
    answer = driven(export_anndata(with_runs, tmp_path / "cells.h5ad", False, never))
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert read.obsm["X_embedding"].shape == (12, 1024)
    assert np.isfinite(read.obsm["X_embedding"]).all()
    assert read.uns["embedding"] == "mobilenet_v3_small of run 2026-01-02_network"
    assert answer.notes == ()


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    source: ExportSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(MissingExtraError, match=r'pip install "napari-cellstage\[anndata\]"'):
        next(export_anndata(source, tmp_path / "cells.h5ad", False, never))


def test_a_contact_sheet_has_no_masks(source: ExportSource, tmp_path: Path) -> None:
    image = source.images[0]
    assert image.stack is not None
    sheet = from_array(image.stack.data[0, :, 0], "CYX", "sheet", tile=30)
    answer = driven(
        export_anndata(replace(source, images=(replace(image, stack=sheet),)), tmp_path / "a", False, never)
    )
    assert answer.cells == 6
