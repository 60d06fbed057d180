"""Runs as trainings leave them, without a training: a card, and answers for labelled cells."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.session import Session


def labelled_refs(session: Session) -> tuple[CellRefs, np.ndarray]:
    """Return the labelled cells of all images, and their class ids."""
    parts, ids = [], []
    for one in session.images:
        given = session.class_ids(one.image_id)
        parts.append(CellRefs.of(one.image_id, session.cells(one.image_id), given > 0))
        ids.append(given[given > 0])
    return CellRefs.joined(parts), np.concatenate(ids)


def unseen_of(session: Session, wrong: Any = (), confidence: float = 0.8, run: str = "") -> Unseen:
    """Return answers that are right but for the labelled cells at the places `wrong`, which get the next class."""
    cells, ids = labelled_refs(session)
    places = {class_id: place for place, class_id in enumerate(session.scheme.ids)}
    truth = np.array([places[int(one)] for one in ids], dtype=np.int64)
    count, kinds = len(truth), len(session.scheme)
    said = truth.copy()
    said[list(wrong)] = (said[list(wrong)] + 1) % kinds
    probabilities = np.full((count, kinds), (1 - confidence) / max(kinds - 1, 1), dtype=np.float32)
    probabilities[np.arange(count), said] = confidence
    names = np.array([f"{i}:{t}:{c}" for i, t, c in zip(cells.image_id, cells.t, cells.cell_id, strict=True)])
    groups = np.array([f"image {i}" for i in cells.image_id])
    fold = np.arange(count) % 3
    now = session.project.journal.moment()[0]
    return Unseen(
        names, truth, groups, fold, probabilities, probabilities, session.scheme, "out of fold", False, cells, now, run
    )


def make_run(
    session: Session, name: str, made: str = "2026-11-01T12:00:00+00:00", model: bool = True, **said: Any
) -> Unseen:
    """Write the folder of a run, and note it in the session."""
    unseen = unseen_of(session, run=name, **said)
    folder = session.project.runs / name
    folder.mkdir(parents=True)
    unseen.save(folder / "unseen.npz")
    labels = {one.name: int(n) for one in session.scheme if (n := session.counts()[one.id])}
    card = {
        "made": made, "recipe": {"name": "quick"}, "labels": labels, "classes": session.scheme.to_dict(),
        "scores": score_unseen(unseen).to_dict(), "cross_validated": 3, "moment": 0,
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    if model:
        (folder / "weights.safetensors").write_bytes(b"not read")
    session.note_run(name)
    return unseen
