"""The command line, `napari-cellstage`: the same code as the dock, without a window.

`app` has the commands, `sources` reads what they work on, `training`, `scoring` and `cells` do the work, `progress`
shows it, `answers` writes the results. torch, napari and Qt are loaded by the commands that need them only.
"""

from napari_cellstage.cli.app import app

__all__ = ["app"]
