"""Paths of the user's machine taken out of what is handed on: others need no names of its folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any


def without_paths(value: Any, known: Iterable[Path] = ()) -> Any:
    """Return JSON values without absolute paths: each is the name of its last part.

    Parameters
    ----------
    value
        Anything of JSON.
    known
        Paths that may stand inside a text, such as where the weights of a network were read from.
    """
    texts = {form for one in known for form in _forms(one)}
    return _cleaned(value, sorted(texts, key=len, reverse=True))


def _forms(path: Path) -> set[str]:
    """Return an absolute path as it may be written; never the root alone, which is in every path."""
    path = path.expanduser()
    return {str(one) for one in (path, path.absolute(), path.resolve()) if one.is_absolute() and len(one.parts) > 1}


def _cleaned(value: Any, known: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(one, known) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(one, known) for one in value]
    if not isinstance(value, str):
        return value
    for text in known:
        value = value.replace(text, "~" if text == str(Path.home()) else Path(text).name)
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(value).is_absolute():
            return kind(value).name
    return value
