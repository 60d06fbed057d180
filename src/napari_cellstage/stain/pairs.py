"""The door to pairs of transmitted light and stain: of channels of one image, of two images, of folders."""

from __future__ import annotations

from napari_cellstage.stain.pair import OUTPUTS, Output, StainPair, StainSet
from napari_cellstage.stain.pair_folders import pairs_of_folders
from napari_cellstage.stain.pairing import pairs_of_images, pairs_of_stacks

__all__ = ["OUTPUTS", "Output", "StainPair", "StainSet", "pairs_of_folders", "pairs_of_images", "pairs_of_stacks"]
