"""Which channel shows the nuclei, by its name."""

from __future__ import annotations

from collections.abc import Sequence

_NUCLEAR = ("dapi", "hoechst", "h2b", "dna", "nucle", "draq", "sytox")  # stains that show nuclei


def named_channel(names: Sequence[str]) -> int | None:
    """Return the place of the first channel named after a stain of nuclei, None when none is."""
    return next((i for i, name in enumerate(names) if any(n in name.lower() for n in _NUCLEAR)), None)
