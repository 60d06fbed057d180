"""A run folder for the tests of reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.reporting.made import Made, made_run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Made]:
    return partial(made_run, tmp_path)
