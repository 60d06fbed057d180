"""Fixtures for the whole suite."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real images beside the project; the test is skipped where it is missing."""
    if not (DATA / "README.md").is_file():
        pytest.skip(f"real images are not at {DATA}")
    return DATA
