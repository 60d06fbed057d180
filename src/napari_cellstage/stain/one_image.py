"""One time point of an image predicted into arrays: windows asked, put together, and brought to the stain's units."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.learn.device import choose_device
from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.layout import Cut, Layout, laid_out
from napari_cellstage.stain.mosaic import Mosaic, windows_of
from napari_cellstage.stain.pair_reading import floats
from napari_cellstage.stain.scaling import own_ranges
from napari_cellstage.stain.unlike import Familiar, not_known
from napari_cellstage.stain.verdicts import Verdict, judged

if TYPE_CHECKING:
    from napari_cellstage.stain.inference import Asker
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.networks import Averaged, StainNetwork

Floats = NDArray[np.float32]
PutStains = Callable[[int, int, Floats, Floats], None]
"""Takes row, column, mean and uncertainty ``(S, Zout, h, w)`` of a finished part, in the stains' units."""


@dataclass(frozen=True, eq=False)
class Work:
    """A model made ready for images.

    Parameters
    ----------
    model, asker, cut
        The model, its network on its device, and how that is asked.
    familiar
        What it knows of its training data; None where it knows nothing.
    """

    model: StainModel
    asker: Asker
    cut: Cut
    familiar: Familiar | None

    @classmethod
    def of(cls, model: StainModel) -> Work:
        """Load a model's network to its device."""
        from napari_cellstage.stain.inference import Asker

        recipe = model.recipe
        factors = [model.calibration[name] for name in model.stain_names]
        device = choose_device(recipe.device)
        asker = Asker(
            cast("StainNetwork | Averaged", model.network()),
            recipe.views if recipe.flip else 1,
            factors,
            device,
            recipe.precision,
        )
        return cls(model, asker, Cut.of(model.plan, recipe.patch, recipe.overlap), model.familiar)

    @property
    def channels(self) -> tuple[int, int]:
        """How many go in, and how many come out of the network."""
        return len(self.model.input_names), 2 * len(self.model.stain_names)

    def layout(self, depth: int, size: tuple[int, int]) -> Layout:
        """Return the windows of a field."""
        return laid_out(depth, size, self.channels, self.cut)

    def field(self, stack: ImageStack, t: int, channels: tuple[int, ...]) -> Field:
        """Return one time point of an image as the model looks at it."""
        own = own_ranges(stack, channels) if self.model.scaling.mode == "image" else None
        return Field(
            partial(floats, stack, t, channels), partial(self.model.scaling.to_input, own=own), stack.shape[2:]
        )

    def predict(
        self, field: Field, layout: Layout, put: PutStains, should_stop: Callable[[], bool]
    ) -> Generator[int, None, Floats | None]:
        """Predict a field, and yield how many windows a batch had; return each stain's mean width, None if stopped."""
        stains = len(self.model.stain_names)
        scaling, widths = self.model.scaling, np.zeros(stains)

        def place(row: int, column: int, part: Floats) -> None:
            width = part[stains:]
            widths[:] += width.sum(axis=(1, 2, 3), dtype=np.float64)
            put(row, column, scaling.to_stain(part[:stains]), scaling.to_stain_width(width))

        mosaic, done = Mosaic(layout, 2 * stains, place), 0
        for batch in self.asker.answers(windows_of(field, layout), should_stop):
            for where, answer in batch:
                mosaic.add(where, answer)
            done += len(batch)
            yield len(batch)
        if done < layout.count:
            return None
        mosaic.finish()
        return (widths / (layout.depth_out * field.size[0] * field.size[1])).astype(np.float32)

    def judge(self, field: Field, widths: Floats) -> tuple[Floats, Verdict]:
        """Return the map of what is unlike the training data, and the verdict."""
        familiar = self.familiar
        unlike, whole = not_known(field) if familiar is None else familiar.compare(field)
        by_stain = dict(zip(self.model.stain_names, widths.tolist(), strict=True))
        return unlike, judged(unlike, by_stain, whole, self.model.reached)
