"""Channels of several sources as one image, such as those of a file and predicted ones. Each keeps its own values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges
from napari_cellstage.core.reading.planes import Planes


@dataclass(frozen=True, eq=False)
class Part:
    """One channel of an image that is put together.

    Parameters
    ----------
    planes, channel
        Where its pixels are.
    identity
        What tells them from those of the image's file; empty where they are the file's.
    """

    planes: Planes
    channel: int
    identity: str = ""


class JoinedPlanes(Planes):
    """Channels of planes that have the same T, Z, Y, X, one after the other.

    Parameters
    ----------
    own
        The planes of the file. Their pieces are read at once, and they decide how the whole is read.
    parts
        The channels, in their order.

    Notes
    -----
    What is read of the file's own channels has the file's type; together with others it has a type that holds both.
    `dtype` is the one that holds all.
    """

    def __init__(self, own: Planes, parts: Sequence[Part]) -> None:
        frames, _, *volume = own.shape
        dtype = np.result_type(*(one.planes.dtype for one in parts))
        super().__init__((frames, len(parts), *volume), dtype, own.chunks)
        self.own, self.parts = own, tuple(parts)

    def dtype_of(self, channels: Iterable[int]) -> np.dtype[Any]:
        """Return the type that holds these channels."""
        kinds = [self.parts[channel].planes.dtype for channel in channels]
        return np.result_type(*kinds) if kinds else self.dtype

    def identity(self, channels: Iterable[int]) -> str:
        """Return what tells these channels from those of the file with the same numbers."""
        wanted = [(channel, self.parts[channel]) for channel in channels]
        if all(one.planes is self.own and one.channel == channel for channel, one in wanted):
            return ""
        return ",".join(one.identity or str(one.channel) for _, one in wanted)

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Read each run of channels from where it is."""
        pieces = [planes.read((ranges[0], some, *ranges[2:])) for planes, some in self._runs(ranges[1])]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    def plane(self, t: int, z: int, channels: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        """Return ``(C, h, w)``; each source reads its own channels in its own way."""
        where = (t, z)
        pieces = [
            planes.plane(*where, tuple(some), rows, columns) for planes, some in self._runs(channels, together=False)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _runs(self, channels: Iterable[int], together: bool = True) -> list[tuple[Planes, Any]]:
        """Return channels that lie in one source one after the other: as a range, or each by its number."""
        runs: list[tuple[Planes, list[int]]] = []
        for channel in channels:
            part = self.parts[channel]
            joins = bool(runs) and runs[-1][0] is part.planes
            if joins and (not together or _goes_on(runs[-1][1], part.channel)):
                runs[-1][1].append(part.channel)
            else:
                runs.append((part.planes, [part.channel]))
        return [(planes, _range_of(some) if together else some) for planes, some in runs]


def _goes_on(some: list[int], channel: int) -> bool:
    """Tell whether a channel continues a run: at an even distance from those before."""
    step = channel - some[-1]
    return step != 0 and (len(some) == 1 or step == some[1] - some[0])


def _range_of(some: list[int]) -> range:
    step = some[1] - some[0] if len(some) > 1 else 1
    return range(some[0], some[-1] + (1 if step > 0 else -1), step)
