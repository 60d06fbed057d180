"""What a bundle is: the names of its files, its manifest, and which names could lead out of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from napari_cellstage.core.errors import CellStageError

FORMAT = 1
KIND = "napari-cellstage bundle"
MANIFEST, README, LABELS, SPLIT = "manifest.json", "README.md", "labels.csv", "split.json"
RECIPE, FIGURES, REPORT, MASKS = "recipe.toml", "figures.json", "report.html", "masks.npz"
SCRIPT, NOTEBOOK = "rerun.py", "rerun.ipynb"
CROPS, MODEL, WEIGHTS = "crops", "model", "weights"
NEEDED = (LABELS, SPLIT, RECIPE, FIGURES)  # without which nothing can be trained or compared
PIXELS_HERE, REFERENCES = "crops", "references"  # where the pictures are
# What systems and programs leave beside files by themselves.
LITTER = re.compile(
    r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$|(^|/)(__MACOSX|__pycache__|\.ipynb_checkpoints)/"
)
_SHOWN = 5


class BundleError(CellStageError):
    """A bundle can't be written, read or trained again."""


def hash_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def leads_out(name: str) -> bool:
    """Tell whether a name could mean a file outside the folder it is looked for in, on any system."""
    parts = re.split(r"[/\\]", name)
    return not name or parts[0] == "" or ".." in parts or ":" in name or "\\" in name or "\0" in name


def some(names: Iterable[str]) -> str:
    """Return the first names of several, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN:,} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
