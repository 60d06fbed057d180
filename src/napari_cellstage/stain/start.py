"""Where a training of stains starts: anew, or from a model, whose network goes on or gets heads for new stains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.networks import StainNetwork
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.plan import Plan, plan_of
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scaling import Range, Scaling
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.training_pixels import Held

# What the network is like, and what it sees, comes with the model that it starts from.
OF_NETWORK = (
    "dimensions", "planes", "filters", "levels", "multi_scale", "patch_planes", "input_scaling", "members",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Start:
    """What is decided before the first step.

    Parameters
    ----------
    recipe
        With the network of the model that is started from.
    plan
        Of the network.
    stain_names
        Of the network: those of the model that it starts from, then new ones.
    scaling
        Of inputs, and of these stains.
    learned
        Which of them the data have, in the order of the data.
    model
        What is started from; None to start anew.
    """

    recipe: StainRecipe
    plan: Plan
    stain_names: tuple[str, ...]
    scaling: Scaling
    learned: tuple[int, ...]
    model: StainModel | None = None

    @property
    def of_data(self) -> Scaling:
        """The scaling of inputs and of the data's stains."""
        return replace(self.scaling, stains=tuple(self.scaling.stains[place] for place in self.learned))

    @property
    def new(self) -> tuple[str, ...]:
        """The stains whose heads know nothing yet."""
        known = self.model.stain_names if self.model else ()
        return tuple(name for name in self.stain_names if name not in known)

    @property
    def kept(self) -> tuple[str, ...]:
        """The stains that are known already, and that the data lack: their heads stay as they are."""
        return tuple(name for place, name in enumerate(self.stain_names) if place not in self.learned)

    def network(self, member: int, held: Sequence[Held]) -> StainNetwork:
        """Return the network of a member before its first step; the seed is torch's."""
        network = self._known(member)
        for name in self.stain_names[len(network.stain_names) :]:
            network = network.with_stain(name)
        means = _means(held, self.of_data)
        fresh = [place for place in self.learned if self.stain_names[place] in self.new]
        network.start_at([means[self.learned.index(place)] for place in fresh], fresh)
        return network

    def _known(self, member: int) -> StainNetwork:
        if self.model is None:
            return StainNetwork(self.plan, self.stain_names)
        return self.model.networks()[member]


def start_of(data: StainSet, train: Sequence[Region], recipe: StainRecipe, model: StainModel | None) -> Start:
    """Decide where a training starts.

    Parameters
    ----------
    data, train
        All pairs, and the regions that are learned from.
    recipe, model
        As for `fit_stain`.

    Raises
    ------
    TrainingError
        If the data do not fit the recipe or the model.
    """
    depth = _depth(data)
    if model is None:
        plan = plan_of(recipe, len(data.input_names), data.output, depth, data.pixel_size_um)
        scaling = Scaling.of(data, train, recipe.input_scaling)
        return Start(recipe, plan, data.stain_names, scaling, tuple(range(len(data.stain_names))))
    _check_fits(data, depth, model)
    names = (*model.stain_names, *(name for name in data.stain_names if name not in model.stain_names))
    more = _ranges(data, train, recipe, names[len(model.stain_names) :])
    recipe = recipe.but(**{name: getattr(model.recipe, name) for name in OF_NETWORK})
    learned = tuple(names.index(name) for name in data.stain_names)
    return Start(recipe, model.plan, names, model.scaling.with_stains(more), learned, model)


def _ranges(data: StainSet, train: Sequence[Region], recipe: StainRecipe, new: Sequence[str]) -> list[Range]:
    if not new:
        return []
    ranges = Scaling.of(data, train, recipe.input_scaling).stains
    return [ranges[data.stain_names.index(name)] for name in new]


def _depth(data: StainSet) -> int:
    """Return the fewest planes of an image; where a stack becomes one plane, all must have the same number."""
    depths = {pair.shape[0]: pair.name for pair in data.pairs}
    if len(depths) > 1 and data.output != "stack":
        (low, one), (high, other) = min(depths.items()), max(depths.items())
        raise TrainingError(
            f"'{one}' has {low} plane{'s' * (low != 1)}, '{other}' {high}, but where one plane is predicted of a stack "
            "all stacks must have as many. Leave those out that have others, or predict the whole stack."
        )
    return min(depths)


def _check_fits(data: StainSet, depth: int, model: StainModel) -> None:
    if len(data.input_names) != len(model.input_names):
        raise TrainingError(
            f"The model looks at {len(model.input_names)} input channels ({', '.join(model.input_names)}), but "
            f"{len(data.input_names)} were chosen ({', '.join(data.input_names)}). Choose as many."
        )
    given, wanted = ([name.casefold() for name in names] for names in (data.input_names, model.input_names))
    if given != wanted and sorted(given) == sorted(wanted):
        raise TrainingError(
            f"The model looks at {', '.join(model.input_names)}, in this order, but the inputs are "
            f"{', '.join(data.input_names)}. Choose them in the model's order."
        )
    if data.output != model.output:
        raise TrainingError(
            f"The model predicts of a stack: {model.output}. Here it would be: {data.output}. Choose the same, or "
            "train a new model."
        )
    if model.plan.exact_depth not in (None, depth):
        raise TrainingError(
            f"The model was trained on stacks of {model.planes} planes, these have {depth}. Choose such stacks, or "
            "train a new model."
        )


def _means(held: Sequence[Held], scaling: Scaling) -> list[float]:
    """Return each stain's mean, scaled, over regions that are in memory."""
    few = [one.targets[..., ::4, ::4] for one in held[:: max(1, len(held) // 64)]]
    scaled = [scaling.to_scaled(one.astype(np.float32)).reshape(len(one), -1) for one in few]
    values = np.concatenate(scaled, axis=1)
    known = np.isfinite(values)
    sums = np.where(known, values, 0).sum(axis=1)
    return [float(mean) for mean in sums / np.maximum(known.sum(axis=1), 1)]
