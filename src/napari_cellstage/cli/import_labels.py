"""Label images among what is imported: they become the cells of the images beside them."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from napari_cellstage.cli.progress import Reporter
from napari_cellstage.core.label_companions import Companion
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.session import Session
from napari_cellstage.session.companions import Adopted, Adoption, adopting


def take_cells(companions: Sequence[Companion], session: Session, reporter: Reporter) -> tuple[list[str], list[str]]:
    """Make label images the cells of their images, where these have none; return what to tell, and what failed.

    Parameters
    ----------
    companions
        Label images.
    session
        With their images.
    reporter
        Shows how far it is.
    """
    if not companions:
        return [], []
    made = reporter.follow(_put(companions, session), "reading cells")
    told = [f"{text} To open label images as images give --labels none." for text in made.sentences[:1]]
    return [*told, *made.sentences[1:]], made.problems


def _put(companions: Sequence[Companion], session: Session) -> Generator[BatchDone, None, Adoption]:
    work = adopting(session, companions, False)(lambda: False)
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            made: Adoption = end.value
            return made
        if isinstance(event, Adopted):
            event.put(session)
        else:
            yield event
