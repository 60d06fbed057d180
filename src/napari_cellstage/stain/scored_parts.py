"""What is scored: the parts of a set that a model is asked about, their fields and their true stains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError, TrainingError
from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.matching import check_planes
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.resample import Line, differs, resampled, resampled_part
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.unlike import field_of

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.one_image import Work

Floats = NDArray[np.float32]
_OF_STACK = {"stack": "each plane", "plane": "one plane", "maximum": "the maximum"}


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of pairs, in the order of a model's channels.

    Parameters
    ----------
    data
        The pairs, their channels in the model's order; stains that the model does not predict are left out.
    regions
        What is scored.
    stains
        Places of the set's stains among the model's.
    notes
        Sentences to show.
    """

    data: StainSet
    regions: tuple[Region, ...]
    stains: tuple[int, ...]
    notes: tuple[str, ...]

    def name(self, number: int) -> str:
        """Return how a part is called: its image, and where it is cut out of it several times."""
        region = self.regions[number]
        pair = self.data.pairs[region.pair]
        if self._cuts[region.pair] < 2:
            return pair.name
        return f"{pair.name} [{region.top}:{region.bottom}, {region.left}:{region.right}]"

    def stain(self, name: str) -> int:
        """Return the place of a stain in the set; `ModelError` where model or pairs do not have it."""
        place = _find(name, self.data.stain_names)
        if place is None:
            raise ModelError(
                f"'{name}' is no stain that the model predicts and the pairs hold. Both have "
                f"{', '.join(self.data.stain_names)}."
            )
        return place

    def truth(self, number: int) -> Floats:
        """Read ``(S, Zout, h, w)`` true stains."""
        region = self.regions[number]
        y, x = region.slices
        return self.data.pairs[region.pair].read_target(y=y, x=x)

    def answers(self, work: Work, should_stop: Callable[[], bool]) -> Iterator[tuple[int, Floats]]:
        """Yield the place of each part, and ``(2 S, Zout, h, w)`` means and widths in scaled units, until stopped.

        Images of another pixel size than the model's are resampled and the answer brought back, as `predict_stains`
        does.
        """
        from napari_cellstage.stain.many_fields import predicted

        for number, answer in predicted(work, [partial(self._field, work, one) for one in self.regions], should_stop):
            region = self.regions[number]
            yield number, answer if self._size(work.model, region) is None else self._brought_back(answer, region)

    def _field(self, work: Work, region: Region) -> Field:
        """Return the input of a part as the model looks at it; of another pixel size the whole image."""
        pair, size = self.data.pairs[region.pair], self._size(work.model, region)
        if size is None:
            return field_of(pair, work.model.scaling, region)
        return work.field(resampled(pair.inputs, size), pair.t, pair.input_channels)

    def _brought_back(self, answer: Floats, region: Region) -> Floats:
        """Return what is said of a whole image in the model's pixels, for a region in the image's own."""
        lengths = self.data.pairs[region.pair].shape[1:]
        down, across = (Line(own, wanted) for own, wanted in zip(answer.shape[2:], lengths, strict=True))
        rows, columns = range(region.top, region.bottom), range(region.left, region.right)
        return resampled_part(lambda y, x: answer[..., y, x], down, across, rows, columns)

    def _size(self, model: StainModel, region: Region) -> tuple[float, float] | None:
        """Return the model's pixel size where an image has another, else None."""
        own, size = self.data.pairs[region.pair].inputs.pixel_size_um, model.pixel_size_um
        return size[1:] if size is not None and differs(own, size) else None

    @property
    def _cuts(self) -> Counter[int]:
        return Counter(region.pair for region in self.regions)


def parts_for(model: StainModel, data: StainSet, regions: Sequence[Region] | None) -> Parts:
    """Return what of a set a model can be scored on.

    Raises
    ------
    ModelError
        If the pairs lack an input or all stains of the model, or it predicts something else of a stack.
    TrainingError
        If there is nothing to score.
    """
    if not data.pairs or (regions is not None and not regions):
        raise TrainingError("There is nothing to score. Give pairs of transmitted light and stain.")
    if data.output != model.output and any(pair.shape[0] > 1 for pair in data.pairs):
        raise ModelError(
            f"The model predicts {_OF_STACK[model.output]} of a stack, but the pairs hold {_OF_STACK[data.output]}. "
            f"Open the pairs with the output '{model.output}'."
        )
    for pair in data.pairs:
        check_planes(model, pair.inputs)
    inputs = _places(model.input_names, data.input_names, "input")
    stains = [name for name in model.stain_names if _find(name, data.stain_names) is not None]
    if not stains and len(model.stain_names) == len(data.stain_names):
        stains, targets = list(model.stain_names), tuple(range(len(model.stain_names)))
    else:
        targets = _places(stains or model.stain_names, data.stain_names, "stain")
    notes = [f"The pairs have no '{name}', so it is not scored." for name in model.stain_names if name not in stains]
    chosen = tuple(_in_order(pair, inputs, targets) for pair in data.pairs)
    ordered = replace(data, pairs=chosen, input_names=model.input_names, stain_names=tuple(stains))
    whole = (Region(number, 0, 0, *pair.shape[1:]) for number, pair in enumerate(chosen))
    return Parts(
        ordered,
        tuple(whole if regions is None else regions),
        tuple(map(model.stain_names.index, stains)),
        (*notes, *_size_notes(model, data)),
    )


def _size_notes(model: StainModel, data: StainSet) -> tuple[str, ...]:
    """Say where pixels are of another size than the model's."""
    others = [pair.name for pair in data.pairs if differs(pair.inputs.pixel_size_um, model.pixel_size_um)]
    if not others:
        return ()
    return (
        f"Pixels of {len(others)} of {len(data.pairs)} images, such as '{others[0]}', have another size than those of "
        "the training data. They are resampled for the model, and the stain brought back to their pixels.",
    )


def _places(wanted: Sequence[str], there: Sequence[str], what: str) -> tuple[int, ...]:
    found = [_find(name, there) for name in wanted]
    if all(place is not None for place in found):
        return tuple(place for place in found if place is not None)
    if len(wanted) == len(there):
        return tuple(range(len(there)))
    raise ModelError(
        f"The model's {what} channels are {', '.join(wanted)}, those of the pairs {', '.join(there)}. Name as many, in "
        "this order."
    )


def _find(name: str, there: Sequence[str]) -> int | None:
    names = [one.casefold() for one in there]
    return names.index(name.casefold()) if name.casefold() in names else None


def _in_order(pair: StainPair, inputs: tuple[int, ...], targets: tuple[int, ...]) -> StainPair:
    return replace(
        pair,
        input_channels=tuple(pair.input_channels[place] for place in inputs),
        target_channels=tuple(pair.target_channels[place] for place in targets),
    )
