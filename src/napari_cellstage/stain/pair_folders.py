"""Pairs of folders: a tree of images with all channels in each, or files of inputs and stains matched by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_cellstage.stain.channels import Wanted
from napari_cellstage.stain.couples import OutputOrAuto
from napari_cellstage.stain.pair import StainSet


def pairs_of_folders(
    folder: Path | str,
    inputs: Wanted,
    targets: Wanted,
    target_folder: Path | str | None = None,
    group_from: str | None = None,
    *,
    output: OutputOrAuto = "auto",
    plane: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> StainSet:
    """Pair the images of a folder tree, or of two matched by name."""
    raise NotImplementedError
