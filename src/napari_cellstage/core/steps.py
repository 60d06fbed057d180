"""Work that goes step by step, as generators do it here: run to its end, or passed on as part of more."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Step = TypeVar("Step")
Told = TypeVar("Told")
Result = TypeVar("Result")


def finished(work: Generator[Any, None, Result]) -> Result:
    """Run work to its end and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def relayed(work: Generator[Step, None, Result], told: Callable[[Step], Told]) -> Generator[Told, None, Result]:
    """Pass each step of some work on as `told` tells it, such as counted in a larger whole; return its result."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        yield told(step)
