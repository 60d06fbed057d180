"""`StainModel`: what the training of a stain leaves, on disk as plain numbers: ``card.json``, ``weights.safetensors``.

There is no pickle, so loading a stranger's model runs no code. Making or loading one loads no torch; its network does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError, ModelError
from napari_cellstage.learn.card import CARD, card_last
from napari_cellstage.learn.model_files import WEIGHTS, read_files, write_files
from napari_cellstage.stain.card import read_stain_card
from napari_cellstage.stain.pair import OUTPUTS, Output
from napari_cellstage.stain.plan import Plan
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.unlike import Familiar

if TYPE_CHECKING:
    from torch import nn

    from napari_cellstage.stain.networks import StainNetwork

NETWORK = "network"  # arrays are named network0.body.…, network1.…
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class StainModel:
    """A trained model of stains, made by `fit_stain`.

    Parameters
    ----------
    recipe
        How it was trained.
    plan
        What its networks get and give.
    input_names, stain_names
        Of the channels that it looks at, and of the stains that it predicts.
    pixel_size_um
        z, y, x of the images it was trained on, or None where these do not say.
    scaling
        How intensities become what a network sees, and back.
    calibration
        By stain: by how much the interval that its networks give is multiplied, so that it holds 80 % of the pixels
        that they had not learned from.
    card
        Plain JSON values: all of the above, and what it was trained on; what is in ``card.json``.
    arrays
        The networks' parameters, ``network0.…``, and those of `familiar`.
    """

    recipe: StainRecipe
    plan: Plan
    input_names: tuple[str, ...]
    stain_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None
    scaling: Scaling
    calibration: dict[str, float]
    card: dict[str, Any]
    arrays: Arrays = field(default_factory=dict, repr=False)

    @property
    def planes(self) -> int:
        """Z of the images it was trained on."""
        return self.plan.depth

    @property
    def output(self) -> Output:
        """What it predicts of a stack."""
        return self.plan.output

    @property
    def members(self) -> int:
        """How many networks it has."""
        return int(self.card["members"])

    @cached_property
    def familiar(self) -> Familiar | None:
        """What the training data look like, see `unlike`; None where it is not known."""
        return Familiar.from_arrays(self.arrays)

    @property
    def reached(self) -> dict[str, float]:
        """By stain: mean Pearson r on the images held out from its training; those that were not scored are missing."""
        known = self.card.get("pearson") or {}
        return {name: float(value) for name, value in known.items() if value is not None}

    def network(self) -> nn.Module:
        """Return its network, several as one (see `Averaged`), on the CPU, ready to predict.

        Raises
        ------
        ModelError
            If its parameters do not fit its card.
        """
        from napari_cellstage.stain.networks import Averaged

        made = self.networks()
        return made[0] if len(made) == 1 else Averaged(made).eval()

    def networks(self) -> tuple[StainNetwork, ...]:
        """Return each of its networks; see `network`."""
        from napari_cellstage.learn.torch_start import torch
        from napari_cellstage.stain.networks import StainNetwork

        made = []
        for number in range(self.members):
            one = StainNetwork(self.plan, self.stain_names)
            tensors = {name: torch.from_numpy(array.copy()) for name, array in self._part(f"{NETWORK}{number}").items()}
            try:
                one.load_state_dict(tensors)
            except RuntimeError as e:
                raise ModelError(f"The model's parameters do not fit its card: {e}. Copy the run folder again.") from e
            made.append(one.eval())
        return tuple(made)

    def on_device(self, device: str) -> StainModel:
        """Return the same model, to be used on a device; see `StainRecipe.device`."""
        return replace(self, recipe=self.recipe.but(device=device))

    def save(self, folder: Path) -> None:
        """Write the model into a folder, the card last: a folder with a card is whole.

        Raises
        ------
        ModelError
            If it can't be written.
        """
        with card_last(folder, self.card):
            write_files(folder, self.arrays, None)

    @classmethod
    def load(cls, folder: Path) -> StainModel:
        """Read a model from a run folder.

        Raises
        ------
        ModelError
            If the folder holds no whole model of stains, or one of a newer version.
        """
        card = read_stain_card(folder)
        arrays, _ = read_files(folder)
        try:
            return cls._of_card(card, arrays)._checked(folder)
        except (KeyError, TypeError, ValueError, AttributeError, CellStageError) as e:
            if isinstance(e, ModelError):
                raise
            what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
            raise ModelError(
                f"'{folder / CARD}' can't be used: {what}. Copy the run folder again, or train anew."
            ) from e

    @classmethod
    def _of_card(cls, card: dict[str, Any], arrays: Arrays) -> StainModel:
        size = card["pixel_size_um"]
        return cls(
            # Device and threads are choices for the machine that trained.
            recipe=StainRecipe().but(**{**card["recipe"], "device": "auto", "threads": 0}),
            plan=Plan.from_dict(card["plan"]),
            input_names=tuple(map(str, card["input_names"])),
            stain_names=tuple(map(str, card["stain_names"])),
            pixel_size_um=None if size is None else (float(size[0]), float(size[1]), float(size[2])),
            scaling=Scaling.from_dict(card["scaling"]),
            calibration={str(name): float(value) for name, value in card["calibration"].items()},
            card=card,
            arrays=arrays,
        )

    def _checked(self, folder: Path) -> StainModel:
        if not self.arrays:
            raise ModelError(f"'{folder}' has a card but no {WEIGHTS}. Copy the whole run folder.")
        if self.output not in OUTPUTS:
            raise ValueError(f"its output '{self.output}' is unknown")
        if len(self.scaling.inputs) != len(self.input_names) or len(self.scaling.stains) != len(self.stain_names):
            raise ValueError("its scaling is for other channels than it has")
        if set(self.calibration) != set(self.stain_names):
            raise ValueError("its calibration is for other stains than it has")
        if not all(self._part(f"{NETWORK}{number}") for number in range(self.members)) or self.members < 1:
            raise ModelError(f"'{folder / WEIGHTS}' lacks some of its {self.members} networks. Copy the run folder.")
        return self

    def _part(self, name: str) -> Arrays:
        start = f"{name}."
        return {key.removeprefix(start): array for key, array in self.arrays.items() if key.startswith(start)}


def named(part: str, arrays: dict[str, NDArray[Any]]) -> Arrays:
    """Return arrays under names of a part of a model's file."""
    return {f"{part}.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}
