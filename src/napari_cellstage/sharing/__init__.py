"""Bundles: a run with all that others need to look at it, and to train it again. No window."""

from napari_cellstage.sharing.contents import BundleError
from napari_cellstage.sharing.opened import Bundle, open_bundle
from napari_cellstage.sharing.whole import rerun_bundle

__all__ = ["Bundle", "BundleError", "open_bundle", "rerun_bundle"]
