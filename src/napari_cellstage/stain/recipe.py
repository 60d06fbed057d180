"""`StainRecipe`: every choice of a virtual-staining training, with limits and tooltips for form, CLI and card.

The named recipes are the TOML files in `recipes/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from napari_cellstage.learn.recipe_base import Choices, choice, names_in, recipe_text


@dataclass(frozen=True)
class StainRecipe(Choices):
    """All that decides what a training of a stain does, besides the data; field metadata is as in `Recipe`."""

    name: str = choice("stain-2d", "Name of the recipe.")
    about: str = choice("", "What the recipe is for, and where it is from.")
    dimensions: Literal["2d", "2.5d", "3d"] = choice(
        "2d",
        "How a stack in z is looked at. 2d: each plane alone. 2.5d: several planes at once, as if they were colours. "
        "3d: as a volume; slowest.",
        choices=("2d", "2.5d", "3d"),
    )
    planes: int = choice(
        0,
        "How many planes are seen at once where a stack is predicted: each plane and those beside it. Where one plane "
        "or a maximum is predicted, all are.",
        min=0,
        max=255,
        zero="5",
        when=("dimensions", "2.5d"),
    )
    filters: int = choice(
        24, "Filters of the network's first level; each level below has twice as many.", min=2, max=256
    )
    levels: int = choice(3, "Levels of the network; each sees twice as far as the one above.", min=2, max=7)
    multi_scale: bool = choice(
        False, "Also give the network the picture averaged over 4 and over 16 pixels, so that it sees far at once."
    )
    patch: int = choice(
        64, "Side of the pieces that are learned from, in pixels; smaller images are used whole.", min=8, max=1024
    )
    patch_planes: int = choice(
        16, "Planes of a piece, where a stack is predicted.", min=1, max=256, when=("dimensions", "3d")
    )
    batch_size: int = choice(16, "Pieces per training step; halved when graphics memory runs out.", min=1, max=1024)
    epochs: int = choice(30, "Rounds of training; after each, the live picture is renewed.", min=1, max=2000)
    patches: int = choice(
        0,
        "Pieces a round; 0: as many as cover the training part once, but not over 2000.",
        min=0,
        max=1_000_000,
        zero="as many as cover it",
    )
    signal: float = choice(
        0.7, "Share of the pieces that are drawn where there is stain, the rest anywhere.", min=0.0, max=1.0
    )
    loss: Literal["mse", "l1"] = choice(
        "mse", "How an error counts. mse: squared. l1: as it is, so that few bright pixels pull less.",
        choices=("mse", "l1"),
    )  # fmt: skip
    structure: float = choice(
        0.0, "How much structural similarity (SSIM) counts beside the error of each pixel.", min=0.0, max=100.0
    )
    content: float = choice(
        0.0, "How much the error of a piece's summed intensity counts: the amount of DNA, say.", min=0.0, max=100.0
    )
    learning_rate: float = choice(2e-3, "Step size at its peak.", min=1e-7, max=1.0)
    weight_decay: float = choice(1e-4, "Pull towards small weights, against overfitting.", min=0.0, max=1.0)
    average: float = choice(
        0.99,
        "Weights are averaged over about 1 / (1 - this) steps, which steadies them; 0: not at all.",
        min=0.0,
        max=0.9999,
    )
    flip: bool = choice(True, "Show pieces mirrored and turned by right angles, eight views in all.")
    rotate: bool = choice(False, "Show pieces turned by any angle; for cells that lie every way, such as in a flow.")
    brightness: float = choice(
        0.0, "Show the input up to this share of its range darker or brighter.", min=0.0, max=1.0
    )
    contrast: float = choice(0.0, "Show the input with up to this share less or more contrast.", min=0.0, max=0.9)
    noise: float = choice(0.0, "Add camera-like noise up to this share of the input's range.", min=0.0, max=1.0)
    input_scaling: Literal["dataset", "image"] = choice(
        "dataset",
        "What black and white are in the input. dataset: the same for all images. image: each image's own, which evens "
        "out lamps and cameras.",
        choices=("dataset", "image"),
        title="brightness by",
    )
    views: int = choice(
        8, "Predict turned and mirrored this many ways, and average the answers; takes as many times as long.",
        min=1, max=8,
    )  # fmt: skip
    members: int = choice(
        1, "Networks trained from different starts; where they disagree, the answer is less certain.", min=1, max=20
    )
    overlap: float = choice(0.25, "Share by which neighbouring windows overlap when predicting.", min=0.0, max=0.75)
    holdout: float = choice(0.2, "Share of the images kept out of training to measure the score.", min=0.0, max=0.5)
    validation: float = choice(
        0.1, "Share of the training images that only picks the best round; 0: the last is kept.", min=0.0, max=0.5
    )
    register: bool = choice(False, "Move each stain to where it fits its input best, if they are shifted.")
    freeze: bool = choice(
        False, "When a stain is added to a model: leave all it knows as it is, and learn only what the new stain needs."
    )
    seed: int = choice(0, "Same seed, same data, same machine: same result.", min=0, max=2**31 - 1)
    device: str = choice("auto", "auto, cuda, mps or cpu.", choices=("auto", "cuda", "mps", "cpu"))
    precision: Literal["auto", "full"] = choice(
        "auto", "auto: half precision where the machine is faster with it. full: never.", choices=("auto", "full")
    )
    threads: int = choice(
        0, "CPU threads for training; 0: all but one while a viewer is open, else all.", min=0, max=1024
    )

    @classmethod
    def load(cls, name_or_file: str) -> StainRecipe:
        """Load a named recipe, or one from a TOML file of the user's.

        Raises
        ------
        TrainingError
            If there is none, or a value can't be.
        """
        return cls.of_toml(recipe_text(name_or_file, _folder(), recipe_names()), name_or_file)


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    return names_in(_folder())


def _folder() -> Any:
    return resources.files("napari_cellstage.stain") / "recipes"
