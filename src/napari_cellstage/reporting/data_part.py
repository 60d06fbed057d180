"""What a report tells of the data: how many labels each class has, of which images, and how they were split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from napari_cellstage.core.scoring.cautions import group_noun
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.reporting.run_facts import RunFacts

IMAGES_SHOWN = 40


@dataclass(frozen=True)
class ClassCount:
    """Labelled cells of a class: learnt from, scored on, all; None where a card of an earlier version does not say."""

    name: str
    color: str
    trained: int | None
    scored: int
    total: int | None


@dataclass(frozen=True)
class ImageCount:
    """Labelled cells of an image: learnt from, scored on."""

    name: str
    trained: int
    scored: int


@dataclass(frozen=True)
class DataPart:
    """Tables and sentences of the part about data."""

    classes: tuple[ClassCount, ...]
    images: tuple[ImageCount, ...]
    more_images: int
    sentences: tuple[str, ...]


def data_part(facts: RunFacts) -> DataPart:
    """Return what is told of the data."""
    images = _images(facts)
    return DataPart(
        classes=_classes(facts),
        images=images[:IMAGES_SHOWN],
        more_images=max(len(images) - IMAGES_SHOWN, 0),
        sentences=tuple(one for one in (_origin(facts), _task(facts), _how_split(facts), *_moments(facts)) if one),
    )


def _classes(facts: RunFacts) -> tuple[ClassCount, ...]:
    labels = facts.card.get("labels") or {}
    scored = [0] * len(facts.classes) if facts.scores is None else facts.scores.confusion.sum(axis=1).tolist()
    kept_out = _kept_out(facts, scored)
    found = []
    for one, tested, out in zip(facts.classes, scored, kept_out, strict=True):
        total = labels.get(one.name)
        found.append(ClassCount(one.name, one.color, None if total is None else total - out, tested, total))
    return tuple(found)


def _kept_out(facts: RunFacts, scored: list[int]) -> list[int]:
    """Return how many labelled cells of each class no training saw; of a model that is tried, the one model's."""
    if not facts.tried_on:
        return [0] * len(scored) if facts.folds else scored
    card = facts.card
    values = card["held_out_scores"] if "held_out_scores" in card else card.get("scores")
    kept: list[int] = Scores.from_dict(values).confusion.sum(axis=1).tolist() if values else [0] * len(scored)
    return kept


def _images(facts: RunFacts) -> tuple[ImageCount, ...]:
    """Return the images, those with most cells first; none for class folders, where each cell is a file.

    Of a model that is tried on other cells, only the images of these.
    """
    split = facts.card["split"]
    trained, scored = _by_image(split["trained"]), _by_image(split["held_out"])
    if facts.folds and not facts.tried_on:
        trained += scored  # each cell is learnt from by all models but one
    if facts.unseen is not None:
        scored = _by_image(facts.unseen.names.tolist())
    listed = scored if facts.tried_on else trained + scored
    names = sorted(listed, key=lambda name: (-listed[name], name))
    return tuple(ImageCount(name, trained[name], scored[name]) for name in names)


def _by_image(cells: Iterable[str]) -> Counter[str]:
    found = Counter(map(_image_of, cells))
    del found[""]
    return found


def _image_of(cell: str) -> str:
    """Return the image that a cell's name begins with; nothing for a crop, which is a file of its own."""
    image, _, identity = cell.rpartition("#")
    return image if identity.count("/") == 2 else ""


def _origin(facts: RunFacts) -> str:
    cells = [*facts.card["split"]["trained"], *facts.card["split"]["held_out"]]
    count, images = len(cells), len(_by_image(cells))
    where = f"in {images} image{'s' if images != 1 else ''} of a project" if images else "as crops in class folders"
    of = "The model's own data: " if facts.tried_on else ""
    return f"{of}{cells_words(count)} with a label, {where}."


def _task(facts: RunFacts) -> str:
    """Say which classes were told apart; nothing where all were."""
    if not facts.left_out:
        return ""
    out = ", ".join(f"{name} ({cells_words(count)})" for name, count in facts.left_out)
    return f"Task: to tell apart {', '.join(facts.classes.names)}. Left out of training and score: {out}."


def _how_split(facts: RunFacts) -> str:
    if facts.unseen is None or facts.scores is None:
        return _how_held_out(facts)
    names = np.unique(facts.unseen.groups).tolist()
    noun = group_noun(names)
    if facts.tried_on:
        return f"Scored on {cells_words(facts.scores.n)} of {facts.tried_on} that the model was not trained on."
    if facts.unseen.by_cell:
        return f"All labels are in one {group_noun(names, several=False)}, so the split is by cell."
    if facts.folds:
        return (
            f"Cross-validated in {facts.folds} parts: each cell was predicted by a model trained without it and "
            f"without its whole {group_noun(names, several=False)}; there are {len(names)} {noun}."
        )
    return f"Whole {noun} were kept out of training: {_listed(names)}. Only they are scored."


def _how_held_out(facts: RunFacts) -> str:
    groups = facts.card["split"].get("groups_held_out") or []
    if not facts.card["split"]["held_out"]:
        return "No cells were kept out of training."
    if not groups:
        return "All labels are in one group, so the split is by cell."
    return f"Whole {group_noun(groups)} were kept out of training: {_listed(groups)}."


def _listed(names: list[str], shown: int = 12) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(name.partition(" ")[2] or name for name in names[:shown]) + more


def _moments(facts: RunFacts) -> list[str]:
    made, seed = str(facts.card.get("made", "")), facts.card.get("seed", facts.recipe.get("seed"))
    found = [f"Split with seed {seed}; trained {made.replace('T', ' at ').replace('+00:00', ' UTC')}."]
    if facts.card.get("moment"):
        found.append(f"It saw the labels up to entry {facts.card['moment']} of the project's journal, and none after.")
    if audit := facts.card.get("audit"):
        found.append(f"An audit set of {cells_words(int(audit))} was left out of training and of every choice.")
    return found
