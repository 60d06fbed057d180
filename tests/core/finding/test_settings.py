from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from napari_cellstage.core.choices import segment_settings
from napari_cellstage.core.finding.settings import SegmentSettings


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, SegmentSettings()),
        ({"method": "log", "split": 0.5, "of_old": 1}, SegmentSettings(method="log", split=0.5)),
        ({"method": "of a later version"}, SegmentSettings()),
        ({"split": "much"}, SegmentSettings()),
    ],
)
def test_stored_choices_that_do_not_fit_are_the_usual_ones(stored: Any, expected: SegmentSettings) -> None:
    owner: Any = SimpleNamespace(setting=lambda _key: stored, channel_names=())
    assert segment_settings().__get__(owner) == expected


@pytest.mark.parametrize(
    ("channel", "second", "channels", "expected"),
    [(0, 0, 3, 1), (1, 0, 3, 0), (0, 2, 3, 2), (1, 5, 2, 0), (0, 0, 1, 0)],
)
def test_the_second_channel_is_another_one_where_there_is_one(
    channel: int, second: int, channels: int, expected: int
) -> None:
    settings = SegmentSettings(method="cells", second_channel=second).on(channel, channels)
    assert settings.channels == (channel, expected)
    assert SegmentSettings().on(channel, channels).channels == (channel,)
