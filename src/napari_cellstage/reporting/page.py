"""One page out of what is known of a run: the values that the template shows, and the rendering."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from markupsafe import Markup

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.words import cells_words, class_texts, figures_of, interval_words
from napari_cellstage.reporting.charts import accuracy_curve, confidence_chart, loss_curve, reliability_chart
from napari_cellstage.reporting.command import command_of, data_words
from napari_cellstage.reporting.data_part import data_part
from napari_cellstage.reporting.matrix import matrix_of
from napari_cellstage.reporting.model_card import card_rows, limits
from napari_cellstage.reporting.pictures import short_name, suspects, tiles_by_class, tiles_in_one, unlike_cells
from napari_cellstage.reporting.run_facts import RunFacts

TEMPLATE = "report.html.jinja"
SUSPECTS_NAMED = 40
CLASSES_APART = 40  # whose examples each have a heading


@dataclass(frozen=True)
class NamedSuspect:
    """A cell whose label looks wrong, as a row of a table."""

    name: str
    label: str
    suggested: str
    suspicion: str


def render(facts: RunFacts) -> str:
    """Return the whole page; every text from outside is escaped."""
    from jinja2 import Environment, StrictUndefined

    source = (resources.files("napari_cellstage.reporting") / TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(_values(facts))


def _values(facts: RunFacts) -> dict[str, Any]:
    scores, unseen = facts.scores, facts.unseen
    return {
        "facts": facts,
        "title": f"{facts.name} on {facts.tried_on}" if facts.tried_on else facts.name,
        "summary": _summary(facts),
        "warnings": (*(scores.warnings if scores else ()), *facts.notes, *facts.missing),
        "data": data_part(facts),
        "scores": scores,
        "figures": figures_of(scores) if scores else (),
        "per_class": _per_class(facts, scores),
        "other_scores": _other_scores(facts),
        "interval_words": interval_words(scores) if scores else "",
        "matrix": matrix_of(scores, facts.classes) if scores else None,
        **_charts(facts, unseen),
        **_tiles(facts),
        **_suspects(facts),
        "unlike_words": _unlike_words(unseen),
        "card_rows": card_rows(facts),
        "limits": limits(facts),
        "recipe": sorted(facts.recipe.items()),
        "versions": sorted((facts.card.get("versions") or {}).items()),
        "command": command_of(facts),
        "data_words": data_words(facts),
    }


def _summary(facts: RunFacts) -> str:
    """Return what it is, and how good, in a sentence or two."""
    count = len(facts.classes)
    what = f"A model that tells {count} classes of single cells apart, trained by the recipe '{facts.recipe['name']}'."
    if facts.scores is None:
        return f"{what} How often it is right is not known."
    where = f"cells of {facts.tried_on}" if facts.tried_on else "cells"
    return f"{what} On {where} that it had not seen its accuracy is {facts.scores.text}."


def _other_scores(facts: RunFacts) -> tuple[str, ...]:
    """Return scores beside the one that counts: of the part held out before, of choosing between two recipes."""
    known = {
        "held_out_scores": "Before cross-validation, on the part that was held out",
        "chosen_scores": "Where the better of two recipes was kept, a score that allows for the choosing",
    }
    if facts.tried_on:
        return ()
    found = {words: facts.card[name] for name, words in known.items() if facts.card.get(name)}
    return tuple(f"{words}: accuracy {Scores.from_dict(values).text}." for words, values in found.items())


def _per_class(facts: RunFacts, scores: Scores | None) -> list[dict[str, Any]]:
    if scores is None:
        return []
    color = {one.name: one.color for one in facts.classes}
    names = ("precision", "recall", "f1")
    return [
        {"name": one.name, "color": color.get(one.name, "#ffffff"), "n": one.n, "predicted": one.predicted}
        | dict(zip(names, class_texts(one), strict=True))
        for one in scores.per_class
    ]


def _charts(facts: RunFacts, unseen: Unseen | None) -> dict[str, Markup | None]:
    known = unseen is not None and len(unseen) > 0
    several = any(one["epoch"] > 1 for one in facts.history)
    return {
        "loss": loss_curve(facts.history) if several else None,
        "accuracy": accuracy_curve(facts.history) if several else None,
        "reliability": reliability_chart(unseen) if known and unseen is not None else None,
        "confidence": confidence_chart(unseen) if known and unseen is not None else None,
    }


def _tiles(facts: RunFacts) -> dict[str, Any]:
    if facts.examples is None:
        return {"examples": (), "compact": (), "unlike": ()}
    many = len(facts.classes) > CLASSES_APART
    return {
        "examples": () if many else tiles_by_class(facts.examples, facts.classes),
        "compact": tiles_in_one(facts.examples, facts.classes) if many else (),
        "unlike": unlike_cells(facts.examples, facts.classes),
    }


def _suspects(facts: RunFacts) -> dict[str, Any]:
    """Return suspected label errors: how many, the first ones as rows, and pictures of some."""
    unseen = facts.unseen
    if unseen is None:
        return {"named_suspects": (), "suspects_words": "", "suspects": ()}
    from napari_cellstage.core.review.suspects import find_errors, suspicion  # cleanlab is slow to load

    names, said, values, found = unseen.classes.names, unseen.predicted, suspicion(unseen), find_errors(unseen)
    rows = [
        NamedSuspect(short_name(str(unseen.names[i])), names[unseen.truth[i]], names[said[i]], f"{values[i]:.2f}")
        for i in found[:SUSPECTS_NAMED].tolist()
    ]
    first = f", of which the first {len(rows)} are listed" if len(found) > len(rows) else ""
    known = set(unseen.names[found].tolist())
    tiles = suspects(facts.examples, facts.classes, known) if facts.examples is not None else ()
    return {"named_suspects": rows, "suspects_words": f"{cells_words(len(found))}{first}.", "suspects": tiles}


def _unlike_words(unseen: Unseen | None) -> str:
    if unseen is None or unseen.unlike is None:
        return "Whether cells are unlike those of the training is not known for this run."
    count = int((np.nan_to_num(unseen.unlike) > 1).sum())
    if not count:
        return f"None of {cells_words(len(unseen))} scored is unlike the training cells."
    return (
        f"{count} of {cells_words(len(unseen))} scored are further from the training cells than 99 % of cells like "
        "them are: what the model says of these is not to be relied on."
    )
