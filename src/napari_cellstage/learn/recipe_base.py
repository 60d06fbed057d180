"""`Choices`: what recipes of every kind have in common: choices that can be changed, written and read."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.recipe_checks import check_value


def choice(default: Any, tip: str, **limits: Any) -> Any:
    """Return the field of a choice: its default, a tip in a biologist's words, and its limits; see `Recipe`."""
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class Choices:
    """A frozen dataclass of choices, each made with `choice`; its values are checked when it is made."""

    def __post_init__(self) -> None:
        for one in fields(self):
            check_value(one.name, getattr(self, one.name), one.default, one.metadata)

    def but(self, **changes: Any) -> Self:
        """Return a copy with some choices changed."""
        unknown = set(changes) - {f.name for f in fields(self)}
        if unknown:
            known = ", ".join(f.name for f in fields(self))
            raise TrainingError(f"A recipe has no choice '{sorted(unknown)[0]}'. It has: {known}.")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as plain JSON values."""
        return asdict(self)

    def to_toml(self) -> str:
        """Return every choice as TOML to edit, each below what it means; `load` reads it from a file again."""
        import tomli_w

        parts = (
            f"# {one.metadata['tip']}\n{tomli_w.dumps({one.name: getattr(self, one.name)})}" for one in fields(self)
        )
        return "\n".join(parts)

    @classmethod
    def of_toml(cls, text: str, source: str) -> Self:
        """Return the choices that a TOML text makes; `source` names it in errors."""
        try:
            return cls().but(**tomllib.loads(text))
        except tomllib.TOMLDecodeError as e:
            raise TrainingError(f"The recipe '{source}' can't be read: {e}. Mend that line of the file.") from e


def recipe_text(name_or_file: str, folder: Any, names: tuple[str, ...]) -> str:
    """Return the TOML of a recipe that lies in a folder of the package, or of a file of the user's.

    Raises
    ------
    TrainingError
        If there is none of that name, or it can't be read.
    """
    file = Path(name_or_file)
    if file.suffix == ".toml" and file.is_file():
        return _read(file)
    if name_or_file in names:
        return str((folder / f"{name_or_file}.toml").read_text(encoding="utf-8"))
    raise TrainingError(f"There is no recipe '{name_or_file}'. Choose one of {', '.join(names)}, or give a .toml file.")


def names_in(folder: Any) -> tuple[str, ...]:
    """Return the names of the recipes that lie in a folder of the package."""
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise TrainingError(f"The recipe '{file}' is no text in UTF-8: {e}. Save it as UTF-8.") from e
    except OSError as e:
        raise TrainingError(f"The recipe '{file}' can't be read: {e.strerror}. Choose another, or allow it.") from e
