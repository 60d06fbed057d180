"""Channels as people name them: by name, by number, by a range such as 0-12."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack

Wanted = Sequence[str | int] | str | int
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


def channels_named(stack: ImageStack, wanted: Wanted, what: str = "input") -> tuple[int, ...]:
    """Return the numbers of channels of an image.

    Parameters
    ----------
    stack
        The image.
    wanted
        Names (exact, or but for capitals), numbers from 0, and ranges such as ``"0-12"``; one of these, several, or
        several in one text with commas between. None of them: the only channel there is.
    what
        What they are for, for errors.

    Raises
    ------
    ImageError
        If there is no such channel, one is named twice, or none is named and there are several.
    """
    items = as_items(wanted)
    if isinstance(wanted, str) and wanted in stack.channel_names:
        items = (wanted,)  # a name with a comma in it
    if not items and len(stack.channel_names) > 1:
        raise ImageError(
            f"'{stack.name}' has {len(stack.channel_names)} channels ({told(stack)}). Say which is the {what}."
        )
    found = [channel for item in items or (0,) for channel in _numbers(stack, item, what)]
    twice = next((channel for channel in found if found.count(channel) > 1), None)
    if twice is not None:
        raise ImageError(f"The {what} names channel {twice} of '{stack.name}' twice. Name each channel once.")
    return tuple(found)


def as_items(wanted: Wanted) -> tuple[str | int, ...]:
    """Return what is named one by one; texts are cut at commas."""
    given = (wanted,) if isinstance(wanted, str | int) else tuple(wanted)
    return tuple(part for item in given for part in (_cut(item) if isinstance(item, str) else [item]))


def told(stack: ImageStack) -> str:
    """Return the channels of an image as text, each with its number."""
    return ", ".join(f"{number}: {name}" for number, name in enumerate(stack.channel_names))


def _cut(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(stack: ImageStack, item: str | int, what: str) -> Iterator[int]:
    names = stack.channel_names
    text = str(item).strip()
    alike = [number for number, name in enumerate(names) if name.casefold() == text.casefold()]
    if isinstance(item, str) and text in names:
        yield names.index(text)
    elif isinstance(item, str) and len(alike) == 1:
        yield alike[0]
    elif text.isdecimal() and int(text) < len(names):
        yield int(text)
    elif (ends := _RANGE.fullmatch(text)) and int(ends[1]) <= int(ends[2]) < len(names):
        yield from range(int(ends[1]), int(ends[2]) + 1)
    else:
        raise ImageError(
            f"'{stack.name}' has no channel '{item}' to be the {what}. It has {told(stack)}. Choose by name, or by "
            "number from 0."
        )
