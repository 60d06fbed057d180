"""A plain network written as text, such as ``"conv 16 2, pool 2, dense 32"``: read and checked. No torch here.

The words are those in which the microtubule study describes its network and what it searched (1 to 5 convolutions, 8 to
256 filters, kernels of 2 to 5, 1 to 4 dense layers of 16 to 512).
"""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellstage.core.errors import TrainingError

CONV, POOL, DENSE = "conv", "pool", "dense"
# The numbers after each word: what they are, the least and the most.
FILTERS, UNITS = ("filters", 1, 4096), ("units", 1, 65536)
WANTED = {CONV: (FILTERS, ("pixels", 1, 31)), POOL: (("pixels", 2, 31),), DENSE: (UNITS,)}
HOW = "Write 'conv 16 3' (filters, pixels), 'pool 2' (pixels) or 'dense 32' (units), with commas between."


@dataclass(frozen=True)
class Layer:
    """One layer.

    Parameters
    ----------
    word
        ``"conv"``, ``"pool"`` or ``"dense"``.
    width
        Filters of a convolution, units of a dense layer; of a pooling as many as come in, so 0.
    kernel
        Side of what a convolution or a pooling looks at, in pixels; of a dense layer 0.
    """

    word: str
    width: int
    kernel: int

    @property
    def text(self) -> str:
        """The layer as it is written."""
        return " ".join(str(one) for one in (self.word, self.width, self.kernel) if one)


def read_layers(text: str) -> tuple[Layer, ...]:
    """Read a network's layers.

    Raises
    ------
    TrainingError
        If a word or a number can't be, no convolution is among them, or one comes after a dense layer.
    """
    layers = tuple(_layer(part.strip()) for part in text.split(",") if part.strip())
    words = [one.word for one in layers]
    if CONV not in words:
        raise TrainingError(f"layers is '{text}', which has no convolution, so the network sees no shapes. {HOW}")
    flat = words.index(DENSE) if DENSE in words else len(words)
    if late := [one.text for one in layers[flat:] if one.word != DENSE]:
        raise TrainingError(
            f"In layers, '{late[0]}' comes after a dense layer, which leaves no picture. Put the dense layers last."
        )
    return layers


def side_after(layers: tuple[Layer, ...], side: int) -> int:
    """Return the side of the picture that the last convolution or pooling leaves, in pixels.

    Convolutions take no pixels from outside, and move by one; poolings move by their own side.

    Raises
    ------
    TrainingError
        If the picture is smaller than what a layer looks at.
    """
    left = side
    for layer in layers:
        if layer.kernel > left:
            raise TrainingError(
                f"In layers, '{layer.text}' looks at {layer.kernel} pixels, but of pictures of {side} pixels only "
                f"{left} {'is' if left == 1 else 'are'} left there. Leave out a pooling before it, or make the "
                "pictures larger."
            )
        left = {CONV: left - layer.kernel + 1, POOL: left // max(layer.kernel, 1)}.get(layer.word, left)
    return left


def _layer(part: str) -> Layer:
    word, *values = part.split()
    if word not in WANTED:
        raise TrainingError(f"In layers, '{word}' of '{part}' is no layer. {HOW}")
    wanted = WANTED[word]
    if len(values) != len(wanted):
        names = " and ".join(name for name, _, _ in wanted)
        raise TrainingError(f"In layers, '{part}' has {len(values)} numbers, but {word} needs {names}. {HOW}")
    found = [_number(part, value, *limits) for value, limits in zip(values, wanted, strict=True)]
    width = 0 if word == POOL else found[0]
    return Layer(word, width, 0 if word == DENSE else found[-1])


def _number(part: str, value: str, name: str, least: int, most: int) -> int:
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise TrainingError(
            f"In layers, '{value}' of '{part}' must be a whole number of {name} from {least} to {most}. {HOW}"
        )
    return int(value)
