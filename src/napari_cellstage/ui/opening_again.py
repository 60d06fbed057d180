"""A file that was opened with wrong axes and then with others: the wrong image goes when nothing was done on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.ui.notices import tell, warn

if TYPE_CHECKING:
    from napari_cellstage.session import Session

_IN_WORDS = ("time point", "channel", "plane")


def replace_readings(session: Session, image_ids: Iterable[int]) -> None:
    """Remove images that are read anew with other axes, and say so; those with labels stay.

    Parameters
    ----------
    session
        Where they are.
    image_ids
        The new ones, in the project by now.
    """
    labelled = {state.image_id: state.labelled for state in session.image_states()}
    others = {new: session.other_readings(new) for new in dict.fromkeys(image_ids)}
    wrong = {old: new for new, found in others.items() for old in found if not labelled[old]}
    kept = {old: new for new, found in others.items() for old in found if labelled[old]}
    for old, new in kept.items():
        warn(_kept(session, old, new, labelled[old]))
    if wrong:
        texts = [_replaced(session, old, new) for old, new in wrong.items()]
        facts = {new: session.facts(old) for old, new in wrong.items() if session.facts(new) == ImageFacts()}
        session.remove_images(wrong)
        session.set_facts(facts)
        more = f" So are {len(texts) - 1} others." if len(texts) > 1 else ""
        tell(f"{texts[0]}{more} Undo (Ctrl+Z) brings back what was there.")


def _kept(session: Session, old: int, new: int, labels: int) -> str:
    name, count = _name(session, old), "1 label" if labels == 1 else f"{labels:,} labels"
    return (
        f"'{name}' is in the list twice now: as {_lengths(session, old)}, with {count}, and as "
        f"{_lengths(session, new)}. "
        "Remove the one that is wrong: choose its line in the list of images and press Delete."
    )


def _replaced(session: Session, old: int, new: int) -> str:
    return f"'{_name(session, new)}' is {_lengths(session, new)} now, in place of {_lengths(session, old)}."


def _name(session: Session, image_id: int) -> str:
    return next(entry.name for entry in session.images if entry.image_id == image_id)


def _lengths(session: Session, image_id: int) -> str:
    """Return such as ``"30 time points × 2 channels"``."""
    shape = next(entry.record.shape for entry in session.images if entry.image_id == image_id)
    many = [(n, word) for n, word in zip(shape, _IN_WORDS, strict=False) if n > 1]
    return " × ".join(f"{n} {word}s" for n, word in many) or "one plane"
