"""Keys on the canvas: bound to the viewer and to whichever layer is active, and given back.

napari asks the active layer before the viewer, and its layers use the number keys for their own tools, so a key
that is to work always must be on the layer itself.
"""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from napari.utils.key_bindings import coerce_keybinding

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.utils.key_bindings import KeymapProvider

Bound = Callable[..., Any] | EllipsisType


class KeyBinder:
    """Binds actions to keys in one viewer.

    Parameters
    ----------
    viewer
        Whose keys.
    actions
        What each key does, such as ``{"1": ..., "Ctrl+Z": ...}``.
    """

    def __init__(self, viewer: ViewerModel, actions: dict[str, Callable[[], None]]) -> None:
        self._viewer = viewer
        self._actions = {coerce_keybinding(key): _handler(action) for key, action in actions.items()}
        self._layer: KeymapProvider | None = None
        self._before: list[tuple[KeymapProvider, dict[Any, Bound]]] = []
        self._take(viewer)
        viewer.layers.selection.events.active.connect(self._on_active)
        self._on_active()

    def close(self) -> None:
        """Give every key back to what it did before."""
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        while self._before:
            self._give_back()

    def _on_active(self) -> None:
        active = self._viewer.layers.selection.active
        if active is self._layer:
            return
        if self._layer is not None:
            self._give_back()
        self._layer = active
        if active is not None:
            self._take(active)

    def _take(self, provider: KeymapProvider) -> None:
        self._before.append((provider, {key: provider.keymap[key] for key in self._actions if key in provider.keymap}))
        provider.keymap.update(self._actions)

    def _give_back(self) -> None:
        """Undo the last `_take`; a key that someone else has bound since then stays theirs."""
        provider, before = self._before.pop()
        for key, handler in self._actions.items():
            if provider.keymap.get(key) is handler:
                del provider.keymap[key]
                if key in before:
                    provider.keymap[key] = before[key]


def _handler(action: Callable[[], None]) -> Callable[[Any], None]:
    # napari calls with the layer or viewer, and calls what is returned again when the key is held: return nothing.
    def on_key(_provider: Any) -> None:
        action()

    return on_key
