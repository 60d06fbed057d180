"""Cells as AnnData, for scanpy, squidpy and friends: features, the table, places, embedding, classes with colours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import MissingExtraError
from napari_cellstage.core.exporting.places import cannot_write, free_file
from napari_cellstage.core.exporting.source import ExportSource

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Measured:
    """What was measured of the cells that are exported, in the order of the table.

    Parameters
    ----------
    table
        N rows, as `image_frame` makes it.
    features
        ``(N, F)`` float32.
    feature_names
        F names.
    embedding
        ``(N, E)`` float32 from a network's last layer but one; None where there is no network.
    embedding_source
        Which network; empty where there is none.
    """

    table: pd.DataFrame
    features: NDArray[np.float32]
    feature_names: tuple[str, ...]
    embedding: NDArray[np.float32] | None = None
    embedding_source: str = ""


def check_anndata() -> None:
    """Raise `MissingExtraError` when the package for this format is missing."""
    try:
        import anndata  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError(
            f"AnnData files need the package anndata, which is not installed ({error}). "
            'Install it with: pip install "napari-cellstage[anndata]"'
        ) from error


def to_anndata(measured: Measured, source: ExportSource) -> Any:
    """Return the AnnData object: ``X`` features, ``obs`` the table, ``obsm`` places and embedding, ``uns`` classes."""
    import anndata
    import pandas as pd

    obs = measured.table.copy()
    obs.index = pd.Index([f"{i}/{t}/{c}" for i, t, c in zip(obs["image_id"], obs["t"], obs["cell_id"], strict=True)])
    names = [one.name for one in source.scheme]
    for column in obs.columns:
        if obs[column].dtype.kind == "O":
            obs[column] = obs[column].astype(str).astype("category")
    for column in ("label", "predicted"):
        obs[column] = pd.Categorical(obs[column].astype(str), categories=names)  # what is no class is empty
    var = pd.DataFrame(index=list(measured.feature_names))
    made = anndata.AnnData(X=measured.features, obs=obs.drop(columns=_probabilities(obs)), var=var)
    made.obsm["spatial"] = obs[["x", "y"]].to_numpy(dtype=np.float64)
    made.obsm["spatial_um"] = obs[["x_um", "y_um"]].to_numpy(dtype=np.float64)
    made.obsm["probabilities"] = obs[_probabilities(obs)].to_numpy(dtype=np.float32)
    if measured.embedding is not None:
        made.obsm["X_embedding"] = measured.embedding
    colors = [one.color for one in source.scheme]
    # scanpy takes the colours of a column from such a name.
    made.uns |= {"label_colors": colors, "predicted_colors": colors, "classes": names}
    made.uns["embedding"] = measured.embedding_source
    if notes := [note for image in source.images for note in image.stain_notes]:
        made.uns["predicted_stains"] = notes
    return made


def write_anndata(measured: Measured, source: ExportSource, out: Path, overwrite: bool) -> None:
    """Write an ``.h5ad`` file."""
    free_file(out, overwrite)
    beside = out.with_name(f".part-{out.name}")
    try:
        to_anndata(measured, source).write_h5ad(beside, compression="gzip")
        beside.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _probabilities(obs: pd.DataFrame) -> list[str]:
    return [name for name in obs.columns if name.startswith("p_")]
