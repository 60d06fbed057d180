"""Settings of a project: what was chosen where it fits the image, else a sensible start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any, Generic, Protocol, TypeVar

from napari_cellstage.core.channel_names import named_channel
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.link_settings import LinkSettings

Got = TypeVar("Got")
Given = TypeVar("Given")
Names = Sequence[str]


class HasSettings(Protocol):
    """What an object needs for a `Setting` to be an attribute of its class."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels of the image that is worked on."""

    def setting(self, key: str) -> Any:
        """Return what was stored, None when nothing was."""

    def put_setting(self, key: str, value: Any) -> None:
        """Store plain JSON and tell whoever shows it."""


class Setting(Generic[Got, Given]):
    """An attribute whose value is stored with the project.

    One that is about channels is kept for each number of channels apart: in a project of images with two and with four
    channels the choice for one kind is not the choice for the other.

    Parameters
    ----------
    key
        Its name in the project.
    read
        From what was stored (None: nothing) and the channel names to the value.
    write
        From the value to plain JSON.
    by_channels
        Whether it is about channels.
    """

    def __init__(
        self, key: str, read: Callable[[Any, Names], Got], write: Callable[[Given], Any], by_channels: bool = False
    ) -> None:
        self._key, self._read, self._write = key, read, write
        self._by_channels = by_channels

    def __get__(self, owner: HasSettings | None, kind: type | None = None) -> Got:
        if owner is None:
            raise AttributeError(f"'{self._key}' is a setting of an open session, not of its class")
        return self._read(self._stored(owner), owner.channel_names)

    def __set__(self, owner: HasSettings, value: Given) -> None:
        owner.put_setting(self._own_key(owner), self._write(value))

    def _stored(self, owner: HasSettings) -> Any:
        own = owner.setting(self._own_key(owner))  # older projects have one choice for all
        return owner.setting(self._key) if own is None else own

    def _own_key(self, owner: HasSettings) -> str:
        return f"{self._key} of {len(owner.channel_names)}" if self._by_channels else self._key


class _FindChannel(Setting[int, int]):
    """What the user chose, else the channel with a nuclear name, else what was guessed from the pixels, else 0."""

    def __get__(self, owner: HasSettings | None, kind: type | None = None) -> int:
        if owner is None:
            return super().__get__(owner, kind)
        names = owner.channel_names
        choices = (self._stored(owner), named_channel(names), owner.setting(guess_key(len(names))))
        return next((int(one) for one in choices if isinstance(one, int) and 0 <= one < max(1, len(names))), 0)


def guess_key(count: int) -> str:
    """Return the setting that keeps which of so many channels looks like nuclei."""
    return f"guessed_channel of {count}"


def _network_channels(stored: Any, names: Names) -> tuple[int, ...]:
    fitting = tuple(c for c in stored or () if 0 <= c < len(names))
    return fitting or tuple(range(len(names)))


def _sorted_channels(channels: Iterable[int]) -> list[int]:
    return sorted({int(c) for c in channels})


def _segment_settings(stored: Any, _names: Names) -> SegmentSettings:
    known = {field.name for field in fields(SegmentSettings)}
    try:
        return SegmentSettings(**{key: value for key, value in (stored or {}).items() if key in known})
    except (CellsError, TypeError):  # such as a method of a later version
        return SegmentSettings()


def find_channel() -> Setting[int, int]:
    """Make the setting "channel in which cells are found": at first the one that shows nuclei."""
    return _FindChannel("find_channel", lambda stored, _names: int(stored or 0), int, by_channels=True)


def network_channels() -> Setting[tuple[int, ...], Iterable[int]]:
    """Make the setting "channels that the network sees": at first all."""
    return Setting("network_channels", _network_channels, _sorted_channels, by_channels=True)


def segment_settings() -> Setting[SegmentSettings, SegmentSettings]:
    """Make the setting "how cells are found"."""
    return Setting("segment", _segment_settings, asdict)


def link_settings() -> Setting[LinkSettings, LinkSettings]:
    """Make the setting "how cells are followed over time"."""
    return Setting("link", _link_settings, asdict)


def _link_settings(stored: Any, _names: Names) -> LinkSettings:
    known = {field.name for field in fields(LinkSettings)}
    return LinkSettings(**{key: value for key, value in (stored or {}).items() if key in known})
