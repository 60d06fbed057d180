"""`Pace`: how many labels a minute somebody gives, pauses not counted."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

WINDOW = 300.0  # seconds that are looked back on
PAUSE = 30.0  # seconds between two labels that are a pause
FEWEST = 5  # acts, below which no pace can be told


class Pace:
    """Notes when labels were given."""

    def __init__(self) -> None:
        self._acts: deque[tuple[float, int]] = deque()

    def note(self, now: float, labels: int = 1) -> None:
        """Note an act of labelling.

        Parameters
        ----------
        now
            Seconds of a clock that only goes forward.
        labels
            How many cells got one.
        """
        self._acts.append((now, labels))
        while self._acts[0][0] < now - WINDOW:
            self._acts.popleft()

    def forget(self) -> None:
        """Begin anew."""
        self._acts.clear()

    @property
    def per_minute(self) -> float | None:
        """Labels a minute over the last acts; None where they are too few to tell."""
        acts = list(self._acts)
        worked = [(b[0] - a[0], b[1]) for a, b in pairwise(acts) if b[0] - a[0] <= PAUSE]
        seconds = sum(gap for gap, _ in worked)
        if len(worked) < FEWEST - 1 or seconds <= 0:
            return None
        return 60 * sum(labels for _, labels in worked) / seconds
