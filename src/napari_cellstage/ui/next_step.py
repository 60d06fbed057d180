"""What the user would do next, in one sentence, from the state of the session. No widgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from napari_cellstage.session import Session

DATA, CELLS, LABEL, TRAIN, REVIEW = "Data", "Cells", "Label", "Train", "Review"
STEPS = (DATA, CELLS, LABEL, TRAIN, REVIEW)
GOOD_START = 10  # labels a class, for a first model


@dataclass(frozen=True)
class NextStep:
    """A piece of advice, and the step it is done in."""

    text: str
    step: str


def next_step(session: Session) -> NextStep:
    """Return what to do next."""
    if not session.images:
        return NextStep("Open an image, or try the sample.", DATA)
    if session.current is None:
        return NextStep("The image is not where it was: show where its file is now.", DATA)
    if session.read_only:
        return NextStep("Open read-only: look at everything; nothing can be changed here.", DATA)
    if not len(session.cells()):
        return NextStep("Find the cells of this image.", CELLS)
    if not len(session.scheme):
        return NextStep("Choose the classes your cells will get.", LABEL)
    return _label_or_train(session)


def _label_or_train(session: Session) -> NextStep:
    if session.blind:
        return NextStep("Label what you see: blind, others' labels and predictions are hidden.", LABEL)
    known = session.counts()  # once: this is asked after every key press
    counts = {class_id: known.get(class_id, 0) for class_id in session.scheme.ids}
    labelled = [n for n in counts.values() if n]
    if len(labelled) < 2:
        return NextStep("Click a cell, press the number of its class. Label at least two classes.", LABEL)
    if session.predictions() is not None:
        return NextStep("See what the model gets wrong, correct it with the number keys, train again.", REVIEW)
    if min(labelled) < GOOD_START:
        rarest = min((class_id for class_id, n in counts.items() if n), key=lambda class_id: counts[class_id])
        name = session.scheme.by_id(rarest).name
        return NextStep(f"You can train now; more cells of '{name}' ({counts[rarest]} so far) make it better.", TRAIN)
    return NextStep("Press Train.", TRAIN)


def state_line(session: Session) -> str:
    """Return the line that is always there: ``"213 cells · 41 labelled · model of 14:02"``."""
    if session.current_id is None:
        return "No image yet"
    cells = len(session.cells())
    parts = [f"{cells:,} cell{'' if cells == 1 else 's'}", f"{int((session.class_ids() != 0).sum()):,} labelled"]
    if (predictions := session.predictions()) is not None:
        parts.append(f"model of {_when(session, predictions.run)}")
    if session.blind:
        parts.append("blind")
    if session.read_only:
        parts.append("read-only")
    return " · ".join(parts)


def _when(session: Session, run: str) -> str:
    """Return when a run was made: the time today, else the day."""
    folder = session.project.runs / run if session.project is not None and run else None
    if folder is None or not folder.is_dir():
        return "this session"
    made = datetime.fromtimestamp(folder.stat().st_mtime)
    return made.strftime("%H:%M") if made.date() == datetime.now().date() else made.strftime("%d %b")


def made_text(made: str) -> str:
    """Return a moment, ISO 8601, as the clock here shows it: the time today, else the day and the time."""
    try:
        here = datetime.fromisoformat(made).astimezone()
    except ValueError:
        return "unknown time"
    return here.strftime("%H:%M") if here.date() == datetime.now().astimezone().date() else here.strftime("%d %b %H:%M")
