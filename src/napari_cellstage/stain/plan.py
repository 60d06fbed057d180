"""`Plan`: what a network of stains gets of a stack, what it gives, and how it is built. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.stain.pair import Output
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.windows import mirrored

WINDOW = 5  # planes of a stack that 2.5d sees at once, where the recipe says nothing
THICK = 2.0  # planes more times further apart than pixels are not merged yet
FEWEST_PLANES = 4  # so many are left before two are merged


@dataclass(frozen=True)
class Plan:
    """What a network gets and gives, and its layers. All of it is in the model's card.

    Parameters
    ----------
    dimensions, filters, levels, multi_scale
        As in the recipe.
    inputs
        Channels of the image that are looked at.
    output
        What is predicted of a stack.
    depth
        Z of the images it is trained on.
    planes
        How many planes are seen at once: 1 in 2d, those that are the network's channels in 2.5d, those of a training
        patch in 3d.
    strides
        By how much the depth shrinks at each level below the first, 1 or 2; all 1 but in 3d.
    """

    dimensions: Literal["2d", "2.5d", "3d"]
    inputs: int
    output: Output
    depth: int
    planes: int
    filters: int
    levels: int
    strides: tuple[int, ...]
    multi_scale: bool = False

    @property
    def channels(self) -> int:
        """C of what the network gets: in 2.5d all planes of the first input, then all of the second."""
        return self.inputs * (self.planes if self.dimensions == "2.5d" else 1)

    @property
    def volume(self) -> bool:
        """Whether the network gets ``(B, C, Z, Y, X)``, else ``(B, C, Y, X)``."""
        return self.dimensions == "3d"

    @property
    def projects(self) -> bool:
        """Whether a stack becomes one plane."""
        return self.output != "stack"

    @property
    def multiple(self) -> int:
        """Pixels along y and x of which a window is best a multiple; the network pads others itself."""
        return int(2 ** (self.levels - 1))

    @property
    def exact_depth(self) -> int | None:
        """Z that an image must have; None where any will do."""
        return self.depth if self.projects else None

    def looks(self, depth: int) -> tuple[tuple[int, ...], ...]:
        """Return, for each plane that is predicted of Z planes, which input planes the network gets; but in 3d.

        A stack is mirrored at its ends.
        """
        if self.projects:
            return (tuple(range(depth)),)
        first = self.planes // 2
        return tuple(tuple(mirrored(z - first, z - first + self.planes, depth).tolist()) for z in range(depth))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"strides": list(self.strides)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Plan:
        """Return a plan from JSON values; KeyError, TypeError or ValueError where they can't be one."""
        return cls(**{**values, "strides": tuple(int(one) for one in values["strides"])})


def plan_of(
    recipe: StainRecipe,
    inputs: int,
    output: Output,
    depth: int,
    pixel_size_um: tuple[float, float, float] | None,
) -> Plan:
    """Plan a network for images with Z planes.

    Parameters
    ----------
    recipe
        Dimensions, planes, filters, levels.
    inputs
        Channels that are looked at.
    output, depth
        What is predicted, and Z of the images.
    pixel_size_um
        z, y, x: where planes are far apart, they are merged only at deeper levels. None: as far as pixels.

    Raises
    ------
    TrainingError
        If 2d should make one plane of several, or 2.5d see more planes than there are.
    """
    projects = output != "stack"
    return Plan(
        recipe.dimensions,
        inputs,
        output,
        depth,
        _planes(recipe, depth, projects),
        recipe.filters,
        recipe.levels,
        _strides(recipe, depth, pixel_size_um),
        recipe.multi_scale,
    )


def _planes(recipe: StainRecipe, depth: int, projects: bool) -> int:
    if recipe.dimensions == "2d":
        if projects and depth > 1:
            raise TrainingError(
                f"2d looks at one plane at a time, so it can't make one plane of {depth}. Set dimensions to 2.5d or 3d."
            )
        return 1
    if recipe.dimensions == "3d":
        return depth if projects else min(recipe.patch_planes, depth)
    if projects:
        return depth
    if recipe.planes > depth:
        raise TrainingError(
            f"The recipe sees {recipe.planes} planes at once, but the images have {depth}. Set planes to at most "
            f"{depth}, or to 0 for the usual number."
        )
    return recipe.planes or min(WINDOW, depth)


def _strides(recipe: StainRecipe, depth: int, size: tuple[float, float, float] | None) -> tuple[int, ...]:
    """Return how planes are merged: not while they are much further apart than pixels, and not when few are left."""
    if recipe.dimensions != "3d":
        return (1,) * (recipe.levels - 1)
    thick, left, strides = (size[0] / size[1] if size else 1.0), min(depth, recipe.patch_planes), list[int]()
    for _ in range(recipe.levels - 1):
        strides.append(2 if thick <= THICK and left >= FEWEST_PLANES else 1)
        left, thick = left // strides[-1], thick * strides[-1] / 2
    return tuple(strides)
