"""Which channel shows the nuclei, and which transmitted light, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUCLEAR = ("dapi", "hoechst", "h2b", "dna", "nucle", "draq", "sytox")  # stains that show nuclei


def named_channel(names: Sequence[str]) -> int | None:
    """Return the place of the first channel named after a stain of nuclei, None when none is."""
    return next((i for i, name in enumerate(names) if any(n in name.lower() for n in _NUCLEAR)), None)


_TRANSMITTED = ("phase", "bright", "transm", "hoffman", "label-free", "label free", "labelfree", "hologra")
_TRANSMITTED_WORDS = frozenset({"bf", "dic", "tl", "ph", "pc", "tpmt", "qpi", "trans"})


def is_transmitted(name: str) -> bool:
    """Tell whether a channel is named after transmitted light: bright field, phase, DIC and their short forms."""
    low = name.lower()
    words = set(re.split(r"[^a-z]+", low))  # BF1, phase_03, T-PMT
    return any(one in low for one in _TRANSMITTED) or bool(words & _TRANSMITTED_WORDS) or "t-pmt" in low
