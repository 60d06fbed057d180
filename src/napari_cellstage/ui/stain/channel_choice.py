"""Which channels a stain is predicted from, and which stains: by name, two lists side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_cellstage.core.channel_names import is_transmitted
from napari_cellstage.ui.stain.ticks import Tick, Ticks


class ChannelChoice(QWidget):
    """Two lists of the same channels; a channel is never in both.

    Signals
    -------
    changed : the user chose otherwise.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._apart = False  # inputs and stains are channels of other images
        self._wanted: tuple[str, ...] = ()  # inputs of the model that learns one more stain
        self.inputs = Ticks(
            "Channels to predict from", "Transmitted light: bright field, phase, DIC. Several may be ticked."
        )
        self.stains = Ticks(
            "Stains to predict", "Fluorescence that the network learns to predict. Several are learned at once."
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for column, (title, ticks) in enumerate((("from", self.inputs), ("predict", self.stains))):
            layout.addWidget(QLabel(title), 0, column)
            layout.addWidget(ticks, 1, column)
            layout.setColumnStretch(column, 1)
        self.inputs.changed.connect(self._on_inputs)
        self.stains.changed.connect(self._on_stains)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Channels that are looked at; those of a model in its order."""
        return self._wanted if self._fixed else tuple(str(one) for one in self.inputs.ticked)

    @property
    def stain_names(self) -> tuple[str, ...]:
        """Stains that are predicted."""
        return tuple(str(one) for one in self.stains.ticked)

    def put(
        self,
        counts: Mapping[str, int],
        images: int,
        stains: Mapping[str, int] | None = None,
        among: Sequence[str] | None = None,
    ) -> None:
        """List channels with how many images have each; what was chosen stays chosen, else it is guessed.

        Parameters
        ----------
        counts
            Images by name of a channel, in the order of the channels.
        images
            How many there are in all.
        stains
            Channels of the images that the stains are in, where those are other images.
        among
            Channels that one image has together, where what is learned has to be guessed; None: all of them are.
        """
        other = counts if stains is None else stains
        names, before = (tuple(counts), tuple(other)), self._apart
        self._apart = stains is not None
        same = names == self._names and before == self._apart
        chosen = (self.input_names, self.stain_names) if same else self._kept(*names)
        likely = names if self._apart else guessed(names[0] if among is None else among)
        inputs, wanted = chosen or likely
        self._names = names
        for ticks, which, ticked in ((self.inputs, counts, inputs), (self.stains, other, wanted)):
            lines = [Tick(name, _line(name, count, images), _tip(count, images)) for name, count in which.items()]
            ticks.put(lines, ticked)
        self._tidy()

    def choose(self, inputs: Sequence[str], stains: Sequence[str]) -> None:
        """Tick these, as scripts and tests do."""
        self.inputs.tick(inputs)
        self.stains.tick(stains)
        self._tidy()
        self.changed.emit()

    def fix_inputs(self, names: Sequence[str]) -> None:
        """Let only the stains be chosen, as a model that learns one more keeps looking at the same; none: let both.

        Where there are no channels of these names, both are chosen: others may call the same light by another name.
        """
        self._wanted = tuple(names)
        self._tidy()

    @property
    def _fixed(self) -> bool:
        return bool(self._wanted) and set(self._wanted) <= set(self.inputs.keys)

    def _tidy(self) -> None:
        """Tick the inputs that are fixed, and no channel in both lists."""
        self.inputs.setEnabled(not self._fixed)
        if self._fixed:
            self.inputs.tick(self._wanted)
        if not self._apart:
            self.stains.tick(one for one in self.stain_names if one not in self.input_names)

    def _kept(self, names: tuple[str, ...], others: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        inputs = tuple(one for one in self.input_names if one in names)
        stains = tuple(one for one in self.stain_names if one in others)
        return (inputs, stains) if inputs and stains else None

    def _on_inputs(self) -> None:
        self._tidy()
        self.changed.emit()

    def _on_stains(self) -> None:
        if not self._apart and not self._fixed:
            self.inputs.tick(one for one in self.input_names if one not in self.stain_names)
        self._tidy()
        self.changed.emit()


def guessed(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which channels look like transmitted light by their names, and the others; nothing where none does."""
    inputs = tuple(one for one in names if is_transmitted(one))
    return (inputs, tuple(one for one in names if one not in inputs)) if inputs else ((), ())


def _line(name: str, count: int, images: int) -> str:
    return name if count == images else f"{name}  ({count} of {images})"


def _tip(count: int, images: int) -> str:
    return f"{count:,} of {images:,} images have this channel." if images > 1 else ""
