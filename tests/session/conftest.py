"""A session, and one that has cells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ready(session: Session) -> Session:
    """A session with nine cells in one image, and the six classes of the cell cycle."""
    session.use_template("cell cycle")
    session.add_image(stack_for(grid()))
    session.set_labels(grid())
    return session
