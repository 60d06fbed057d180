"""The one place of the window where sentences and errors are shown to the user. Nothing else decides how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

from napari.utils.notifications import notification_manager, show_error, show_info, show_warning

from napari_cellstage.core.errors import CellStageError

P = ParamSpec("P")


def tell(text: str) -> None:
    """Show a sentence that needs no answer."""
    show_info(text)


def warn(text: str) -> None:
    """Show a sentence the user should act on."""
    show_warning(text)


def show(error: BaseException) -> None:
    """Show an error: one of ours as its sentence, any other in napari's error display with its traceback."""
    if isinstance(error, CellStageError):
        show_error(str(error))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


@contextmanager
def shown() -> Iterator[None]:
    """Show a `CellStageError` raised inside, and go on; any other error goes its own way to napari's display."""
    try:
        yield
    except CellStageError as error:
        show(error)


def showing_errors(action: Callable[P, Any]) -> Callable[P, None]:
    """Make a callback of `action` that shows a `CellStageError` where it would have raised one."""

    @wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        with shown():
            action(*args, **kwargs)

    return guarded
