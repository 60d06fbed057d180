"""An image of 40,000 x 40,000 with 200,000 cells. Needs 5 GB of disk for a while, and many minutes."""

from __future__ import annotations

from benchmarks.large import measured
from benchmarks.table import Row

SIDE = 40_000


def rows() -> list[Row]:
    return measured(SIDE)


if __name__ == "__main__":
    for row in rows():
        print(row)
