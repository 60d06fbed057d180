"""The command that trains the same again, with every choice that is not the recipe's own."""

from __future__ import annotations

import shlex
from typing import Any

from napari_cellstage.core.store import DATABASE
from napari_cellstage.core.tasks import written_classes
from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.reporting.run_facts import RunFacts

_OPTIONS = ("seed", "device", "epochs", "weights", "network", "folds")  # that the command has by name


def command_of(facts: RunFacts) -> str:
    """Return the command line that trains the same again, quoted for a POSIX shell."""
    if facts.card.get("bundle"):
        return "napari-cellstage rerun ."
    base, changes = _changes(facts)
    words = ["napari-cellstage", "train", _data(facts), "--out", f"{facts.name}-again", "--recipe", base]
    if group_from := facts.card.get("group_from"):
        words += ["--group-from", str(group_from)]
    if facts.left_out:
        words += ["--classes", written_classes(facts.classes.names)]
    for name, value in changes.items():
        words += [f"--{name}", _written(value)] if name in _OPTIONS else ["--set", f"{name}={_written(value)}"]
    return " ".join(map(shlex.quote, words))


def data_words(facts: RunFacts) -> str:
    """Return what to know about the data that the command names."""
    if facts.card.get("bundle"):
        return "In the folder that this page lies in, which holds the cells, the split and the recipe, or says where."
    if _project(facts):
        return "It trains on the labels that the project has by then; those of today may differ from those of this run."
    if facts.card.get("data"):
        return "DATA is where it was at the time of training."
    return "Put the folder of the data in the place of DATA: this run does not say where it was."


def _changes(facts: RunFacts) -> tuple[str, dict[str, Any]]:
    """Return the named recipe that a run began with, and what was changed of it."""
    chosen = facts.recipe
    named = str(chosen.get("name")) in recipe_names()
    base = str(chosen["name"] if named else chosen.get("kind", "quick"))
    usual = Recipe.load(base).to_dict() | {"folds": 0}  # which the command does only where it is asked for
    return base, {name: value for name, value in chosen.items() if name in usual and value != usual[name]}


def _data(facts: RunFacts) -> str:
    return _project(facts) or str(facts.card.get("data") or "DATA")


def _project(facts: RunFacts) -> str:
    """Return the project that a run folder lies in; nothing for a run of the command line."""
    folder = facts.folder.parent.parent
    return str(folder) if facts.folder.parent.name == "runs" and (folder / DATABASE).is_file() else ""


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
