"""What the user would do next, in one sentence, from the state of the session. No widgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from napari_cellstage.core.predicted import stain_of
from napari_cellstage.session import Session

DATA, STAIN, CELLS, LABEL, TRAIN, REVIEW = "Data", "Stain", "Cells", "Label", "Train", "Review"
STEPS = (DATA, STAIN, CELLS, LABEL, TRAIN, REVIEW)  # Stain is there for those who asked for it
GOOD_START = 10  # labels a class, for a first model
ENOUGH_NEW = 10  # labels since a model, for another one


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
        return _stain_first(session) or NextStep("Find the cells of this image.", CELLS)
    if not len(session.scheme):
        return NextStep("Choose the classes your cells will get.", LABEL)
    return _label_or_train(session)


def _stain_first(session: Session) -> NextStep | None:
    """Return the advice to predict a stain, where a model is there for this image, which has no stain predicted yet."""
    if session.stains():
        return None
    has = {stain_of(name) for name in session.channel_names}
    for run in session.stain_runs():
        lacking = [one for one in run.stains if one not in has]
        if run.has_model and lacking and set(run.inputs) <= set(session.channel_names):
            return NextStep(f"Predict {' and '.join(lacking)} of this image, then find its cells there.", STAIN)
    return None


def _label_or_train(session: Session) -> NextStep:
    if session.blind:
        return NextStep("Label what you see. Blind: predictions and others' labels are hidden.", LABEL)
    known = session.counts()  # once: this is asked after every key press
    counts = {class_id: known.get(class_id, 0) for class_id in session.scheme.ids}
    labelled = [n for n in counts.values() if n]
    if len(labelled) < 2:
        return NextStep("Click a cell, press the number of its class. Label at least two classes.", LABEL)
    if (predictions := session.predictions()) is not None:
        return _review_or_train(session, predictions.run)
    if min(labelled) < GOOD_START:
        rarest = min((class_id for class_id, n in counts.items() if n), key=lambda class_id: counts[class_id])
        name = session.scheme.by_id(rarest).name
        return NextStep(f"You can train now; more cells of '{name}' ({counts[rarest]} so far) make it better.", TRAIN)
    return NextStep("Press Train.", TRAIN)


def _review_or_train(session: Session, run: str) -> NextStep:
    if (new := _new_labels(session, run)) >= ENOUGH_NEW:
        return NextStep(f"{new:,} labels have changed since this model: train again.", TRAIN)
    return NextStep("See what the model gets wrong, correct it with the number keys, train again.", REVIEW)


def _new_labels(session: Session, run: str) -> int:
    """Return how many labels are other than those that a run saw, at least; 0 where that is not known."""
    record = session.run(run)
    if record is None or not record.labels:
        return 0
    then = {one.id: record.labels.get(one.name, 0) for one in record.classes}
    now = session.training_counts()
    more = [now.get(class_id, 0) - then.get(class_id, 0) for class_id in {*then, *now}]
    return max(sum(n for n in more if n > 0), -sum(n for n in more if n < 0))


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
    """Return when a run was made, as all of the dock says it."""
    record = session.run(run)
    return "this session" if record is None else made_text(record.made)


def made_text(made: str) -> str:
    """Return a moment, ISO 8601, as the clock here shows it: the time today, else the day and the time."""
    try:
        here = datetime.fromisoformat(made).astimezone()
    except ValueError:
        return "unknown time"
    return here.strftime("%H:%M") if here.date() == datetime.now().astimezone().date() else here.strftime("%d %b %H:%M")
