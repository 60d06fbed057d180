"""Make the pictures of the docs anew, all or some: main_job, sheet, movie, plate, large, review, samples, staining.

Run on a screen: `.venv/bin/python -m napari_cellstage.screen scripts/screenshots.py [NAME…]`
"""

from __future__ import annotations

import importlib
import os
import sys

ALL = ("main_job", "sheet", "movie", "plate", "large", "review", "samples", "staining")


def main(names: list[str]) -> None:
    """Make the pictures of these modules of `pictures`."""
    for name in names or ALL:
        importlib.import_module(f"pictures.{name}").make()


if __name__ == "__main__":
    os.environ.setdefault("QT_API", "pyqt5")
    main(sys.argv[1:])
