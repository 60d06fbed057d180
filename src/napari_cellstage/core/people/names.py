"""Names of persons who label: what is allowed, one spelling for each person, and who it was last time.

A name may hold anything. Whoever shows or writes it keeps it harmless: plain text in widgets, `core.safe_csv` in files.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_config_path

from napari_cellstage.core.errors import CellStageError

CONFIG_VARIABLE = "NAPARI_CELLSTAGE_CONFIG"
_FILE = "annotator.json"
_LONGEST = 200


class PeopleError(CellStageError):
    """A person's name can't be taken, or something can't be done with the labels of several persons."""


def clean_name(name: str) -> str:
    """Return a name as it is kept: spaces and line breaks as single spaces, none at the ends.

    Raises
    ------
    PeopleError
        If nothing is left, or it is longer than 200 characters.
    """
    clean = " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in name).split())
    if not clean:
        raise PeopleError(f"'{name}' is no name. Type who labels, such as your first name.")
    if len(clean) > _LONGEST:
        raise PeopleError(
            f"The name '{clean[:20]}…' has {len(clean)} characters; {_LONGEST} are allowed. Type a shorter one."
        )
    return clean


def known_spelling(name: str, known: Iterable[str]) -> str:
    """Return how a person is spelt already, where only capitals or spaces differ; else the name as it is."""
    names = list(known)
    same = (one for one in names if _plain(one) == _plain(name))
    return name if name in names else next(same, name)


def _plain(name: str) -> str:
    return "".join(name.casefold().split())


def remembered_name() -> str:
    """Return who labelled last on this account; empty when nobody has said, or the file can't be read."""
    try:
        name = json.loads(_place().read_text(encoding="utf-8"))["annotator"]
        return clean_name(name) if isinstance(name, str) else ""
    except (OSError, ValueError, KeyError, TypeError, PeopleError):
        return ""


def remember_name(name: str) -> None:
    """Keep a name for the next project; where that can't be written it is asked again, and nothing else is lost."""
    with contextlib.suppress(OSError):
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"annotator": name}, ensure_ascii=False), encoding="utf-8")


def _place() -> Path:
    folder = os.environ.get(CONFIG_VARIABLE) or user_config_path("napari-cellstage", appauthor=False)
    return Path(folder).expanduser() / _FILE
