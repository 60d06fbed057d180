"""Sessions with transmitted light, some of it stained, and folders of runs made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_cellstage.session import Session
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner
from tests.ui.stain.scene import image


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Two stained images, and one with transmitted light alone, which is current."""
    made = Session(tmp_path / "home")
    for one in (image("stained 1"), image("stained 2"), image("plain", ("phase",))):
        made.add_image(one)
    yield made
    made.close()


@pytest.fixture
def runner(qtbot: Any) -> JobRunner:
    """Where jobs run."""
    return JobRunner()


@pytest.fixture
def theme() -> PanelTheme:
    """napari's dark theme."""
    return PanelTheme(ViewerModel())


@pytest.fixture
def make_run(session: Session) -> Callable[..., str]:
    """Return a function that leaves the folder of a stain's training, whose weights nobody reads."""

    def make(name: str = "run 1", stains: tuple[str, ...] = ("DNA",), r: float = 0.9, weights: bool = True) -> str:
        folder = session.project.runs / name
        folder.mkdir(parents=True)
        card = {
            "format": 1, "kind": "stain", "made": "2026-11-01T12:00:00+00:00", "input_names": ["phase"],
            "stain_names": list(stains), "recipe": {"name": "stain-2d"},
        }  # fmt: skip
        scores = {"stains": {one: {"pearson": r, "pearson_interval": [r - 0.05, r + 0.05]} for one in stains}}
        (folder / "card.json").write_text(json.dumps(card))
        (folder / "scores.json").write_text(json.dumps(scores))
        if weights:
            (folder / "weights.safetensors").write_bytes(b"not read")
        session.note_stain_run()
        return name

    return make
