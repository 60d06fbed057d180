"""Settings of a project: what was chosen where it fits the image, else a sensible start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
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
        """Names of the channels of the image that is worked on, predicted ones last."""

    @property
    def own_channels(self) -> int:
        """How many of these its file has."""

    def setting(self, key: str) -> Any:
        """Return what was stored, None when nothing was."""

    def put_setting(self, key: str, value: Any) -> None:
        """Store plain JSON and tell whoever shows it."""


class Setting(Generic[Got, Given]):
    """An attribute whose value is stored with the project.

    One that is about channels is kept for each number of channels apart: in a project of images with two and with four
    channels the choice for one kind is not the choice for the other. Predicted channels don't count: a stain that is
    added changes no choice. They are chosen by name, as each image has its own.

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
        return f"{self._key} of {owner.own_channels}" if self._by_channels else self._key


class _FindChannel(Setting[int, int]):
    """What the user chose, else the channel with a nuclear name, else what was guessed from the pixels, else 0."""

    def __get__(self, owner: HasSettings | None, kind: type | None = None) -> int:
        if owner is None:
            return super().__get__(owner, kind)
        names, count = owner.channel_names, owner.own_channels
        stored = self._stored(owner)
        if isinstance(stored, str) and stored in names[count:]:
            return names.index(stored, count)
        choices = (stored, named_channel(names[:count]), owner.setting(guess_key(count)))
        return next((int(one) for one in choices if isinstance(one, int) and 0 <= one < max(1, count)), 0)

    def __set__(self, owner: HasSettings, value: int) -> None:
        names, channel = owner.channel_names, int(value)
        predicted = owner.own_channels <= channel < len(names)
        owner.put_setting(self._own_key(owner), names[channel] if predicted else channel)


class _NetworkChannels(Setting[tuple[int, ...], Iterable[int]]):
    """The file's own channels by number; predicted ones by name, in a setting of their own."""

    def __get__(self, owner: HasSettings | None, kind: type | None = None) -> tuple[int, ...]:
        if owner is None:
            return super().__get__(owner, kind)
        names, count = owner.channel_names, owner.own_channels
        predicted = tuple(names.index(one, count) for one in network_stains(owner) if one in names[count:])
        return (self.own(owner) + predicted) or tuple(range(count))

    def own(self, owner: HasSettings) -> tuple[int, ...]:
        """Return those of the file's own channels that were chosen; none when only predicted ones were."""
        return tuple(c for c in self._stored(owner) or () if isinstance(c, int) and 0 <= c < owner.own_channels)

    def __set__(self, owner: HasSettings, value: Iterable[int]) -> None:
        names, count = owner.channel_names, owner.own_channels
        wanted = sorted({int(c) for c in value})
        known = network_stains(owner)  # their order stays: models were trained on it, and images have their own
        stains = [names[c] for c in wanted if count <= c < len(names)]
        stains.sort(key=lambda name: known.index(name) if name in known else len(known))
        if stains != list(known):
            owner.put_setting(_stains_key(count), stains)
        owner.put_setting(self._own_key(owner), [c for c in wanted if c not in range(count, len(names))])


def network_choice(owner: HasSettings) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return what was chosen for the network to see: the file's own channels, and predicted ones by name."""
    return network_channels().own(owner), network_stains(owner)


def network_stains(owner: HasSettings) -> tuple[str, ...]:
    """Return the predicted channels that the network is to see, by name, whether or not this image has them."""
    stored = owner.setting(_stains_key(owner.own_channels))
    return tuple(map(str, stored)) if isinstance(stored, list) else ()


def _stains_key(count: int) -> str:
    return f"network_stains of {count}"


def guess_key(count: int) -> str:
    """Return the setting that keeps which of so many channels looks like nuclei."""
    return f"guessed_channel of {count}"


class _HowFound(Setting[SegmentSettings, SegmentSettings]):
    """How cells are found; a second channel that is predicted is chosen by name, too."""

    def __get__(self, owner: HasSettings | None, kind: type | None = None) -> SegmentSettings:
        settings = super().__get__(owner, kind)
        if owner is None or not owner.channel_names:
            return settings
        names, own = owner.channel_names, owner.own_channels
        stain = (self._stored(owner) or {}).get("second_stain", "")
        if not stain and settings.second_channel < own:
            return settings
        return replace(settings, second_channel=names.index(stain, own) if stain in names[own:] else 0)

    def __set__(self, owner: HasSettings, value: SegmentSettings) -> None:
        names, second = owner.channel_names, value.second_channel
        stain = {"second_stain": names[second]} if owner.own_channels <= second < len(names) else {}
        owner.put_setting(self._key, asdict(value) | stain)


def _segment_settings(stored: Any, _names: Names) -> SegmentSettings:
    known = {field.name for field in fields(SegmentSettings)}
    try:
        return SegmentSettings(**{key: value for key, value in (stored or {}).items() if key in known})
    except (CellsError, TypeError):  # such as a method of a later version
        return SegmentSettings()


def find_channel() -> Setting[int, int]:
    """Make the setting "channel in which cells are found": at first the one that shows nuclei."""
    return _FindChannel("find_channel", lambda stored, _names: int(stored or 0), int, by_channels=True)


def network_channels() -> _NetworkChannels:
    """Make the setting "channels that the network sees": at first all that the file has."""
    return _NetworkChannels("network_channels", lambda stored, _names: tuple(stored or ()), list, by_channels=True)


def segment_settings() -> Setting[SegmentSettings, SegmentSettings]:
    """Make the setting "how cells are found"."""
    return _HowFound("segment", _segment_settings, asdict)


def link_settings() -> Setting[LinkSettings, LinkSettings]:
    """Make the setting "how cells are followed over time"."""
    return Setting("link", _link_settings, asdict)


def _link_settings(stored: Any, _names: Names) -> LinkSettings:
    known = {field.name for field in fields(LinkSettings)}
    return LinkSettings(**{key: value for key, value in (stored or {}).items() if key in known})
