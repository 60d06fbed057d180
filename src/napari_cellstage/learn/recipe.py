"""Every choice of a training in one frozen, serialisable dataclass, with limits and tooltips for form, CLI and card.

The named recipes are the TOML files in `recipes/`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from napari_cellstage.learn.nets.layer_text import read_layers
from napari_cellstage.learn.nets.names import LAYERS
from napari_cellstage.learn.recipe_base import Choices, choice, names_in, recipe_text
from napari_cellstage.learn.recipe_checks import check_fixed, numbers

# What forms offer; any other of torchvision's families can be named in a recipe file.
NETWORKS = (
    "cellnet",
    "deepflow",
    "fastai-resnet34",
    "layers",
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
    "convnext_tiny",
    "swin_t",
)


@dataclass(frozen=True)
class Recipe(Choices):
    """All that decides what a training does, besides the data.

    Field metadata holds ``tip`` (in a biologist's words) and, for numbers, ``min`` and ``max``; for text, ``choices``,
    or ``suggestions`` where others are possible. ``when`` names another choice and the values at which this one
    counts; ``title`` is shown instead of the name; ``long`` text needs a line of its own.
    """

    name: str = choice("quick", "Name of the recipe.")
    about: str = choice("", "What the recipe is for, and where it is from.")
    kind: Literal["quick", "finetune", "ensemble"] = choice(
        "quick",
        "quick: per-cell features and a small classifier, seconds. finetune: a network, minutes. ensemble: several "
        "recipes, whose answers are averaged.",
        choices=("quick", "finetune", "ensemble"),
    )
    members: str = choice(
        "quick, finetune",
        "Recipes whose answers are averaged, with commas between; the same twice: from two random starts. A member's "
        "own choices follow its name: quick classifier=trees, finetune epochs=30.",
        when=("kind", "ensemble"),
        long=True,
    )
    classifier: Literal["auto", "linear", "kernel", "trees"] = choice(
        "auto",
        "What decides by the features. auto: linear and kernel together. linear: a straight cut. kernel: a curved cut, "
        "by likeness to the labelled cells. trees: boosted trees, for hundreds of cells.",
        choices=("auto", "linear", "kernel", "trees"),
        when=("kind", "quick"),
    )
    trees: int = choice(60, "How many boosted trees a class.", min=1, max=5000, when=("kind", "quick"))
    tree_rate: float = choice(
        0.15, "How much each tree adds; with more trees less.", min=1e-3, max=1.0, when=("kind", "quick")
    )
    network: str = choice(
        "resnet34", "Which network looks at the cells; the smaller ones are faster.", suggestions=NETWORKS
    )
    layers: str = choice(
        "conv 16 2, pool 2, conv 64 3, pool 2, dense 32, dense 32",
        "Layers of a network of your own, in order. conv 16 2: 16 filters of 2 x 2 pixels. pool 2: half the size. "
        "dense 32: 32 units.",
        when=("network", "layers"),
        long=True,
    )
    dropout: float = choice(
        0.0,
        "Share of units that are switched off at random while training, against overfitting.",
        min=0.0,
        max=0.9,
        when=("network", "layers", "fastai-resnet34"),
    )
    input_size: int = choice(
        0,
        "Side that each cell's picture is brought to before the network sees it, in pixels.",
        min=0,
        max=1024,
        zero="as it is",
        title="input",
    )
    random_crop: int = choice(
        0,
        "Pictures are made this many pixels larger than the input, and in training a part of it is taken at random.",
        min=0,
        max=256,
        title="cut at random",
    )
    standardise: Literal["channel", "mean image", "imagenet", "none"] = choice(
        "channel",
        "What is taken off before the first layer. channel: mean and spread of each channel. mean image: the mean of "
        "all training cells, pixel by pixel. imagenet: the values of everyday photographs. none: nothing.",
        choices=("channel", "mean image", "imagenet", "none"),
    )
    sharpen: bool = choice(False, "Sharpen each picture first, which brings out fine fibres.")
    weights: str = choice(
        "imagenet",
        "Where the network starts. imagenet: it has seen everyday photographs, which helps with few cells. "
        "none: it knows nothing. Or a file with weights from an earlier training.",
        suggestions=("imagenet", "none"),
        file="Weights (*.safetensors *.pth *.pt)",
    )
    epochs: int = choice(
        20,
        "How often the network sees every labelled cell; 0: as often as that many cells need.",
        min=0,
        max=1000,
        zero="as needed",
    )
    batch_size: int = choice(32, "Cells per training step; halved when graphics memory runs out.", min=2, max=4096)
    crop_size: int = choice(
        64,
        "Side of the square picture of each cell that the network sees, in pixels.",
        min=8,
        max=1024,
        title="picture (pixels)",
    )
    crop: Literal["pixels", "micrometres", "cell"] = choice(
        "pixels",
        "How much is around each cell. pixels: the image as it is. micrometres: the same real size in every image, "
        "whatever its magnification. cell: each cell fills its picture, so large and small look alike.",
        choices=("pixels", "micrometres", "cell"),
        title="size by",
    )
    crop_um: float = choice(
        20.0,
        "Side of the square around each cell, in micrometres.",
        min=0.01,
        max=100000.0,
        when=("crop", "micrometres"),
        title="width (µm)",
    )
    margin: float = choice(
        1.3,
        "Side of the square as a multiple of the cell's longer side.",
        min=0.5,
        max=10.0,
        when=("crop", "cell"),
        title="width (× cell)",
    )
    surroundings: Literal["kept", "masked"] = choice(
        "kept",
        "kept: the network also sees what is around the cell. masked: the neighbours are painted over with the "
        "image's background.",
        choices=("kept", "masked"),
        title="surroundings",
    )
    planes: Literal["nearest", "focus", "maximum", "all"] = choice(
        "nearest",
        "Of a stack in z. nearest: the plane through the cell's middle. focus: the sharpest plane of the cell. "
        "maximum: the brightest of its planes at each place. all: several planes around its middle, side by side.",
        choices=("nearest", "focus", "maximum", "all"),
        title="planes in z",
    )
    planes_count: int = choice(
        5,
        "How many planes around the cell's middle.",
        min=1,
        max=64,
        when=("planes", "focus", "maximum", "all"),
        title="how many planes",
    )
    normalise: Literal["dataset", "image", "plate", "fixed", "crop"] = choice(
        "dataset",
        "What black and white are. dataset: the same for all cells, so bright and dim ones stay different. image or "
        "plate: the same within one, which evens out staining. fixed: the two values below. crop: each cell is "
        "stretched to the full range, so how bright it was is lost.",
        choices=("dataset", "image", "plate", "fixed", "crop"),
        title="brightness by",
    )
    fixed_low: str = choice(
        "0",
        "Intensity shown as black: one number, or one a channel: 100, 120.",
        when=("normalise", "fixed"),
        title="black",
    )
    fixed_high: str = choice(
        "255",
        "Intensity shown as white: one number, or one a channel: 4000, 900.",
        when=("normalise", "fixed"),
        title="white",
    )
    optimiser: Literal["adamw", "sgd", "nadam"] = choice(
        "adamw", "How the network learns from a batch; adamw suits most.", choices=("adamw", "sgd", "nadam")
    )
    momentum: float = choice(
        0.9, "How much of the step before is kept in a step.", min=0.0, max=0.999, when=("optimiser", "sgd")
    )
    learning_rate: float = choice(2e-3, "Step size at its peak.", min=1e-7, max=1.0)
    find_rate: bool = choice(
        False, "Try rising step sizes on some batches first, and take a tenth of the one with the lowest loss."
    )
    schedule: Literal["one-cycle", "steps", "constant"] = choice(
        "one-cycle",
        "one-cycle: the step size rises, then falls to nothing. steps: a tenth of it after some epochs. constant: "
        "the same throughout.",
        choices=("one-cycle", "steps", "constant"),
    )
    step_epochs: int = choice(
        85, "After how many epochs the step size falls to a tenth.", min=1, max=1000, when=("schedule", "steps")
    )
    weight_decay: float = choice(0.05, "Pull towards small weights, against overfitting.", min=0.0, max=1.0)
    decays: Literal["every layer", "convolutions"] = choice(
        "every layer",
        "What is pulled towards small weights. convolutions: filters only, for networks with very many other weights.",
        choices=("every layer", "convolutions"),
        title="pulled",
    )
    label_smoothing: float = choice(0.1, "Share of doubt in each label, against overconfidence.", min=0.0, max=0.5)
    class_weights: bool = choice(
        True, "Rare classes count more, so that they are not ignored.", when=("upsample", False)
    )
    upsample: bool = choice(False, "Cells of rare classes are shown as often as those of the most frequent one.")
    average: float = choice(
        0.99,
        "Weights are averaged over about 1 / (1 - this) steps, which steadies them; 0: not at all.",
        min=0.0,
        max=0.9999,
    )
    quarter_turns: bool = choice(False, "Show each cell four times: as it is, and turned by 90, 180 and 270 degrees.")
    rotate: bool = choice(True, "Show cells turned by any angle up to the one below.")
    rotate_up_to: float = choice(
        180.0, "Largest angle that cells are turned by, in degrees.", min=0.0, max=180.0, when=("rotate", True)
    )
    flip: bool = choice(True, "Show cells mirrored.")
    scale: float = choice(0.1, "Show cells up to this share smaller or larger.", min=0.0, max=0.9)
    shift: float = choice(0.05, "Show cells moved by up to this share of the crop.", min=0.0, max=0.5)
    brightness: float = choice(0.1, "Show cells up to this share darker or brighter.", min=0.0, max=1.0)
    contrast: float = choice(0.1, "Show cells with up to this share less or more contrast.", min=0.0, max=1.0)
    noise: float = choice(0.02, "Add camera-like noise up to this level.", min=0.0, max=1.0)
    views: int = choice(
        8, "Each cell is predicted turned and mirrored this many ways, and the answers averaged.", min=1, max=8
    )
    validation: float = choice(
        0.1, "Share of the training cells that only picks the best epoch; 0: the last epoch is kept.", min=0.0, max=0.5
    )
    patience: int = choice(
        0, "Stop after this many epochs without a better score; 0: never.", min=0, max=1000, zero="never"
    )
    stop_by: Literal["validation", "cross-validation"] = choice(
        "validation",
        "What picks the number of epochs. validation: a part of the training cells. cross-validation: networks beside, "
        "each trained without another part of them; takes that many times as long.",
        choices=("validation", "cross-validation"),
        long=True,
    )
    stop_folds: int = choice(10, "How many networks beside.", min=2, max=20, when=("stop_by", "cross-validation"))
    holdout: float = choice(0.2, "Share of labelled cells kept out of training to measure the score.", min=0.0, max=0.5)
    folds: int = choice(
        0,
        "Cross-validation after training: that many models more, each without a part of the cells, so that every "
        "labelled cell is predicted by one that has not seen it; takes that many times as long. 1: not at all. 0, in "
        "the dock: 5 for the quick recipe, which takes seconds, and none for a network.",
        min=0,
        max=50,
        zero="by recipe",
    )
    seed: int = choice(0, "Same seed, same data, same machine: same result.", min=0, max=2**31 - 1)
    device: str = choice("auto", "auto, cuda, mps or cpu.", choices=("auto", "cuda", "mps", "cpu"))
    precision: Literal["auto", "full"] = choice(
        "auto", "auto: half precision where the machine is faster with it. full: never.", choices=("auto", "full")
    )
    threads: int = choice(
        0, "CPU threads for training; 0: all but one while a viewer is open, else all.", min=0, max=1024
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fixed(numbers("fixed_low", self.fixed_low), numbers("fixed_high", self.fixed_high))
        if self.network == LAYERS:
            read_layers(self.layers)

    @classmethod
    def load(cls, name_or_file: str) -> Recipe:
        """Load a named recipe, or one from a TOML file of the user's; files of members may lie beside it."""
        made = cls.of_toml(recipe_text(name_or_file, _folder(), recipe_names()), name_or_file)
        file = Path(name_or_file)
        return made.but(members=_beside(file, made.members)) if file.suffix == ".toml" else made


def _beside(file: Path, members: str) -> str:
    """Return members with the whole path of those that are files in the same folder."""
    found = []
    for one in members.split(","):
        name, settings, rest = one.strip().partition(".toml")
        path = file.parent / f"{name}.toml"
        found.append(f"{path}{rest}" if settings and path.is_file() else one.strip())
    return ", ".join(found)


def epochs_for(cells: int) -> int:
    """Return how many epochs so many training cells need: few cells are seen more often each."""
    return min(max(round(1500 / math.sqrt(max(cells, 1))), 10), 100)


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    return names_in(_folder())


def _folder() -> Any:
    return resources.files("napari_cellstage.learn") / "recipes"
