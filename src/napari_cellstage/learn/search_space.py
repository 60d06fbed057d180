"""`SearchSpace` and `SearchChoices`: which networks a topology search may try, and how; what memory a network needs.

The ranges are those that Shpilman et al. searched by cross-validation: 1 to 5 convolutions, poolings or not, 8 to 256
filters, kernels of 2 to 5, 1 to 4 dense layers of 16 to 512 units, pictures of 100 to 300 pixels. How filters and
kernels of several layers go together is not said there; here each layer has its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.nets.layer_text import CONV, DENSE, POOL, Layer, read_layers, side_after

if TYPE_CHECKING:
    from optuna.trial import Trial

Range = tuple[int, int]
BYTES = 4  # of a number in single precision
COPIES = 4  # of each weight: itself, its gradient, and two moments of the optimiser
BOTH_WAYS = 2  # what a layer gives, and its gradient


@dataclass(frozen=True)
class SearchSpace:
    """Ranges, both ends included.

    Parameters
    ----------
    convolutions, filters, kernel, dense, units
        How many convolutions, and of each its filters and pixels; how many dense layers before the last, and the units
        of each.
    pooling
        Whether a pooling of 2 pixels may follow each convolution: both are tried, or one of them.
    input_size, input_step
        Side that pictures are brought to, in pixels, in steps of so many.
    """

    convolutions: Range = (1, 5)
    filters: Range = (8, 256)
    kernel: Range = (2, 5)
    pooling: tuple[bool, ...] = (True, False)
    dense: Range = (1, 4)
    units: Range = (16, 512)
    input_size: Range = (100, 300)
    input_step: int = 20

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in ("pooling", "input_step") and not 1 <= value[0] <= value[1]:
                raise TrainingError(
                    f"The range of {one.name} is {value[0]} to {value[1]}. Give two numbers from 1, the smaller first."
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the ranges as plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def suggest(self, trial: Trial) -> tuple[str, int]:
        """Return the layers of a trial's network as text, and the side of its pictures."""
        pools = trial.suggest_categorical("pooling", list(self.pooling))
        parts: list[str] = []
        for place in range(1, trial.suggest_int("convolutions", *self.convolutions) + 1):
            filters = trial.suggest_int(f"filters {place}", *self.filters, log=True)
            parts.append(f"{CONV} {filters} {trial.suggest_int(f'kernel {place}', *self.kernel)}")
            parts += [f"{POOL} 2"] if pools else []
        for place in range(1, trial.suggest_int("dense layers", *self.dense) + 1):
            parts.append(f"{DENSE} {trial.suggest_int(f'units {place}', *self.units, log=True)}")
        least, most = self.input_size
        last = most - (most - least) % self.input_step  # Optuna wants to end on a step
        return ", ".join(parts), trial.suggest_int("input size", least, last, step=self.input_step)


@dataclass(frozen=True)
class SearchChoices:
    """How is searched.

    Parameters
    ----------
    trials
        How many networks are tried, with those of an earlier part of the same search; those that can't be don't count.
    minutes
        After so many no further trial is begun; None: no limit.
    folds
        Of the cross-validation.
    epochs
        The most that each network gets.
    seed
        Same seed, same data: same trials.
    memory_gb
        Networks that need more are not tried, 10^9 bytes.
    space
        The ranges.
    """

    trials: int = 30
    minutes: float | None = None
    folds: int = 3
    epochs: int = 20
    seed: int = 0
    memory_gb: float = 4.0
    space: SearchSpace = field(default_factory=SearchSpace)


@dataclass(frozen=True)
class Weight:
    """What a network of layers needs.

    Parameters
    ----------
    parameters
        Its weights and biases.
    memory
        Bytes while it is trained, about.
    """

    parameters: int
    memory: int


def weigh(text: str, channels: int, classes: int, side: int, batch: int) -> Weight:
    """Return what the network written in `text` needs for batches of pictures of this side.

    Raises
    ------
    TrainingError
        If there can't be such a network.
    """
    layers = read_layers(text)
    side_after(layers, side)
    width, left, parameters, given = channels, side, 0, channels * side * side
    for layer in (one for one in layers if one.word != DENSE):
        parameters += _of_convolution(layer, width)
        left = left - layer.kernel + 1 if layer.word == CONV else left // layer.kernel
        width = layer.width or width
        given += width * left * left * (2 if layer.word == CONV else 1)  # the convolution's, and after the ReLU
    width *= left * left
    for units in [*(one.width for one in layers if one.word == DENSE), classes]:
        parameters += width * units + units
        width, given = units, given + units
    return Weight(parameters, BYTES * (COPIES * parameters + BOTH_WAYS * batch * given))


def _of_convolution(layer: Layer, width: int) -> int:
    return width * layer.width * layer.kernel**2 + layer.width if layer.word == CONV else 0
