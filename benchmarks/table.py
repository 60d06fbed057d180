"""Rows of the benchmark table, and timing side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, what was reached, what was to be reached; ok is None when only reported."""

    what: str
    reached: str
    target: str
    ok: bool | None = None


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Return the median time of a call, after one that is not counted."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def median_ratio(ours: Callable[[], object], other: Callable[[], object], runs: int = 5) -> float:
    """Return the median of time(other) / time(ours), taken in turns; above 1 means ours is faster."""
    ours(), other()
    return statistics.median(seconds(other) / seconds(ours) for _ in range(runs))
