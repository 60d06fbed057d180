"""Channels told by their names."""

from __future__ import annotations

import pytest

from napari_cellstage.core.channel_names import is_transmitted


@pytest.mark.parametrize(
    "name", ["bright field", "Brightfield", "BF", "BF1", "Phase", "phase_03", "DIC", "TL DIC", "T-PMT", "Trans", "ph2"]
)
def test_transmitted_light_is_told_by_its_name(name: str) -> None:
    assert is_transmitted(name)


@pytest.mark.parametrize(
    "name", ["DNA", "DAPI", "GFP", "tubulin", "Alexa 488", "phalloidin", "transferrin", "DNA (predicted)", "channel 0"]
)
def test_stains_are_not(name: str) -> None:
    assert not is_transmitted(name)
