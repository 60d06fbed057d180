"""Sessions with few cells, and mouse events for a viewer model without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.opening import Opening
from napari_cellstage.ui.viewer_link import ViewerLink
from tests.ui.quick_probe import QuickProbe

CELL, STEP = 8, 12


def grid_labels(shape: tuple[int, int, int, int], every_frame: bool = True) -> np.ndarray:
    """Squares of 8 x 8 pixels, 12 apart, in each plane; a cell has one id in all planes and frames."""
    labels = np.zeros(shape, dtype=np.int32)
    number = 0
    for y in range(2, shape[2] - CELL, STEP):
        for x in range(2, shape[3] - CELL, STEP):
            number += 1
            labels[:, :, y : y + CELL, x : x + CELL] = number
    return labels


@pytest.fixture(autouse=True)
def quick_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docks learn at once what training would run on."""
    monkeypatch.setattr("napari_cellstage.ui.train_panel.DeviceProbe", QuickProbe)


@pytest.fixture
def make_session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Return a function that makes a session with one image of ``(T, Z, Y, X)`` and, if wanted, its cells."""
    made: list[Session] = []

    def make(shape: tuple[int, int, int, int] = (1, 1, 40, 50), cells: bool = True, channels: int = 1) -> Session:
        session = Session(tmp_path / f"home{len(made)}")
        made.append(session)
        session.use_template("cell cycle")
        pixels = np.random.default_rng(0).integers(0, 1000, (shape[0], channels, *shape[1:])).astype(np.uint16)
        session.add_image(from_array(pixels, "TCZYX", "field"))
        if cells:
            session.set_labels(grid_labels(shape))
        return session

    yield make
    for session in made:
        session.close()


@pytest.fixture
def empty_session(tmp_path: Path) -> Iterator[Session]:
    """A session with no project yet."""
    session = Session(tmp_path / "home")
    yield session
    session.close()


@pytest.fixture
def opening(qtbot: Any, session: Session) -> Iterator[Opening]:
    """The part of the dock that opens files into the session; `wait` until it is done."""
    opening = Opening(session)
    qtbot.addWidget(opening)
    opening.wait = lambda: qtbot.waitUntil(lambda: not opening.busy, timeout=60_000)
    yield opening
    opening.close_link()


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """Session with one plane of 12 cells."""
    return make_session()


@pytest.fixture
def model() -> ViewerModel:
    """Viewer without a window."""
    return ViewerModel()


@pytest.fixture
def link(model: ViewerModel, session: Session) -> Iterator[ViewerLink]:
    """Session shown in the viewer without a window; errors are collected in ``link.errors``."""
    errors: list[Exception] = []
    made = ViewerLink(model, session, on_error=errors.append)
    made.errors = errors
    yield made
    made.close()


@pytest.fixture
def predict() -> Callable[[Session], Predictions]:
    """Return a function that gives a session predictions: cell k is of class k modulo 6, confidence 0.4 to 0.95."""

    def give(session: Session) -> Predictions:
        count, kinds = len(session.cells()), len(session.scheme)
        confidence = np.linspace(0.4, 0.95, count)
        probabilities = np.repeat(((1 - confidence) / (kinds - 1))[:, None], kinds, axis=1)
        probabilities[np.arange(count), np.arange(count) % kinds] = confidence
        answer = Predictions(probabilities.astype(np.float32), session.scheme.ids, np.zeros(count, dtype=np.uint8))
        assert session.set_predictions({session.current_id: answer}, session.snapshot().version)
        return answer

    return give


class Mouse:
    """A mouse over a viewer without a window; one world unit is one screen pixel."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer

    def _event(self, kind: str, y: float, x: float, modifiers: tuple[str, ...], dragging: bool) -> Any:
        position = np.array(self.viewer.dims.point, dtype=float)
        position[-2:] = y, x
        return ReadOnlyWrapper(
            SimpleNamespace(
                type=kind,
                position=tuple(position),
                pos=np.array([x, y]),
                button=1,
                modifiers=modifiers,
                is_dragging=dragging,
                dims_displayed=list(self.viewer.dims.displayed),
                view_direction=None,
                handled=False,
            ),
            exceptions=("handled",),
        )

    def move(self, y: float, x: float) -> None:
        mouse_move_callbacks(self.viewer, self._event("mouse_move", y, x, (), False))

    def drag(self, *places: tuple[float, float], modifiers: tuple[str, ...] = ()) -> None:
        first, last = places[0], places[-1]
        mouse_press_callbacks(self.viewer, self._event("mouse_press", *first, modifiers, False))
        for place in places[1:]:
            mouse_move_callbacks(self.viewer, self._event("mouse_move", *place, modifiers, True))
        mouse_release_callbacks(self.viewer, self._event("mouse_release", *last, modifiers, False))

    def ends(self, first: tuple[float, float], last: tuple[float, float], modifiers: tuple[str, ...] = ()) -> None:
        mouse_press_callbacks(self.viewer, self._event("mouse_press", *first, modifiers, False))
        mouse_release_callbacks(self.viewer, self._event("mouse_release", *last, modifiers, False))

    def click(self, y: float, x: float) -> None:
        self.drag((y, x))


@pytest.fixture
def mouse(model: ViewerModel) -> Mouse:
    """Mouse over the viewer without a window."""
    return Mouse(model)
