"""What importing each floor may load, seen from a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WINDOW = ("napari", "qtpy", "PyQt5", "PyQt6", "PySide6", "vispy")
NETWORK = ("torch", "torchvision")


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (("napari_cellstage",), (*WINDOW, *NETWORK)),
        (
            (
                "napari_cellstage.session",
                "napari_cellstage.learn",
                "napari_cellstage.learn.recipe",
                "napari_cellstage.learn.events",
            ),
            (*WINDOW, *NETWORK, "skimage"),
        ),
        (
            tuple(
                f"napari_cellstage.core.{name}"
                for name in ("segment", "crops", "images", "workspace", "scoring.scores", "review.table")
            ),
            (*WINDOW, *NETWORK),
        ),
        (
            tuple(
                f"napari_cellstage.stain.{name}"
                for name in ("pairs", "checks", "registration", "splits", "scaling", "recipe")
            ),
            (*WINDOW, *NETWORK, "skimage"),
        ),
    ],
    ids=["package", "session", "core", "stain"],
)
def test_importing_loads_no_more_than_it_should(modules: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    code = f"import sys, {', '.join(modules)}; print(*(m for m in {unwanted!r} if m in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_opening_a_project_and_reading_a_plane_loads_no_dask(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np, tifffile\n"
        "from napari_cellstage.core.images import open_image\n"
        "from napari_cellstage.session import Session\n"
        "home = Path(sys.argv[1])\n"
        "tifffile.imwrite(home / 'a.tif', np.zeros((30, 40), np.uint16))\n"
        "for _ in range(2):\n"
        "    session = Session(home)\n"
        "    if not (home / 'one.cellstage').exists():\n"
        "        session.new_project(home / 'one.cellstage')\n"
        "        session.add_image(open_image(home / 'a.tif'))\n"
        "    else:\n"
        "        session.open_project(home / 'one.cellstage')\n"
        "    assert session.current.plane(0, 0, (0,)).shape == (1, 30, 40)\n"
        "    session.close()\n"
        "print(*(m for m in ('dask', 'xarray', 'pandas') if m in sys.modules))\n",
        encoding="utf-8",
    )
    answer = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_every_room_is_named_in_the_architecture() -> None:
    root = Path(__file__).parents[1]
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = [file.name for file in (root / "src").rglob("*.py") if file.name != "__init__.py"]
    assert files
    assert [name for name in files if f"{name}`" not in text] == []
