"""Every choice of a training in one frozen, serialisable dataclass, with limits and tooltips for form, CLI and card.

The named recipes are the TOML files in `recipes/`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from napari_cellstage.core.errors import TrainingError

# What forms offer; any other of torchvision's families can be named in a recipe file.
NETWORKS = (
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


def _choice(default: Any, tip: str, **limits: Any) -> Any:
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class Recipe:
    """All that decides what a training does, besides the data.

    Field metadata holds ``tip`` (in a biologist's words) and, for numbers, ``min`` and ``max``; for text, ``choices``,
    or ``suggestions`` where others are possible. ``when`` names another choice and the values at which this one
    counts; ``title`` is shown instead of the name.
    """

    name: str = _choice("quick", "Name of the recipe.")
    kind: Literal["quick", "finetune"] = _choice(
        "quick",
        "quick: per-cell features and a small classifier, seconds. finetune: a network, minutes.",
        choices=("quick", "finetune"),
    )
    network: str = _choice(
        "resnet34", "Which network looks at the cells; the smaller ones are faster.", suggestions=NETWORKS
    )
    weights: str = _choice(
        "imagenet",
        "Where the network starts. imagenet: it has seen everyday photographs, which helps with few cells. "
        "none: it knows nothing. Or a file with weights from an earlier training.",
        suggestions=("imagenet", "none"),
        file="Weights (*.safetensors *.pth *.pt)",
    )
    epochs: int = _choice(
        20,
        "How often the network sees every labelled cell; 0: as often as that many cells need.",
        min=0,
        max=1000,
        zero="as needed",
    )
    batch_size: int = _choice(32, "Cells per training step; halved when graphics memory runs out.", min=2, max=4096)
    crop_size: int = _choice(
        64,
        "Side of the square picture of each cell that the network sees, in pixels.",
        min=8,
        max=1024,
        title="picture (pixels)",
    )
    crop: Literal["pixels", "micrometres", "cell"] = _choice(
        "pixels",
        "How much is around each cell. pixels: the image as it is. micrometres: the same real size in every image, "
        "whatever its magnification. cell: each cell fills its picture, so large and small look alike.",
        choices=("pixels", "micrometres", "cell"),
        title="size by",
    )
    crop_um: float = _choice(
        20.0,
        "Side of the square around each cell, in micrometres.",
        min=0.01,
        max=100000.0,
        when=("crop", "micrometres"),
        title="width (µm)",
    )
    margin: float = _choice(
        1.3,
        "Side of the square as a multiple of the cell's longer side.",
        min=0.5,
        max=10.0,
        when=("crop", "cell"),
        title="width (× cell)",
    )
    surroundings: Literal["kept", "masked"] = _choice(
        "kept",
        "kept: the network also sees what is around the cell. masked: the neighbours are painted over with the "
        "image's background.",
        choices=("kept", "masked"),
        title="surroundings",
    )
    planes: Literal["nearest", "focus", "maximum", "all"] = _choice(
        "nearest",
        "Of a stack in z. nearest: the plane through the cell's middle. focus: the sharpest plane of the cell. "
        "maximum: the brightest of its planes at each place. all: several planes around its middle, side by side.",
        choices=("nearest", "focus", "maximum", "all"),
        title="planes in z",
    )
    planes_count: int = _choice(
        5,
        "How many planes around the cell's middle.",
        min=1,
        max=64,
        when=("planes", "focus", "maximum", "all"),
        title="how many planes",
    )
    normalise: Literal["dataset", "image", "plate", "fixed", "crop"] = _choice(
        "dataset",
        "What black and white are. dataset: the same for all cells, so bright and dim ones stay different. image or "
        "plate: the same within one, which evens out staining. fixed: the two values below. crop: each cell is "
        "stretched to the full range, so how bright it was is lost.",
        choices=("dataset", "image", "plate", "fixed", "crop"),
        title="brightness by",
    )
    fixed_low: str = _choice(
        "0",
        "Intensity shown as black: one number, or one a channel: 100, 120.",
        when=("normalise", "fixed"),
        title="black",
    )
    fixed_high: str = _choice(
        "255",
        "Intensity shown as white: one number, or one a channel: 4000, 900.",
        when=("normalise", "fixed"),
        title="white",
    )
    learning_rate: float = _choice(2e-3, "Step size at its peak.", min=1e-7, max=1.0)
    weight_decay: float = _choice(0.05, "Pull towards small weights, against overfitting.", min=0.0, max=1.0)
    label_smoothing: float = _choice(0.1, "Share of doubt in each label, against overconfidence.", min=0.0, max=0.5)
    class_weights: bool = _choice(True, "Rare classes count more, so that they are not ignored.")
    average: float = _choice(
        0.99,
        "Weights are averaged over about 1 / (1 - this) steps, which steadies them; 0: not at all.",
        min=0.0,
        max=0.9999,
    )
    rotate: bool = _choice(True, "Show cells turned by any angle.")
    flip: bool = _choice(True, "Show cells mirrored.")
    scale: float = _choice(0.1, "Show cells up to this share smaller or larger.", min=0.0, max=0.9)
    shift: float = _choice(0.05, "Show cells moved by up to this share of the crop.", min=0.0, max=0.5)
    brightness: float = _choice(0.1, "Show cells up to this share darker or brighter.", min=0.0, max=1.0)
    contrast: float = _choice(0.1, "Show cells with up to this share less or more contrast.", min=0.0, max=1.0)
    noise: float = _choice(0.02, "Add camera-like noise up to this level.", min=0.0, max=1.0)
    views: int = _choice(
        8, "Each cell is predicted turned and mirrored this many ways, and the answers averaged.", min=1, max=8
    )
    validation: float = _choice(
        0.1, "Share of the training cells that only picks the best epoch; 0: the last epoch is kept.", min=0.0, max=0.5
    )
    patience: int = _choice(
        0, "Stop after this many epochs without a better score; 0: never.", min=0, max=1000, zero="never"
    )
    holdout: float = _choice(
        0.2, "Share of labelled cells kept out of training to measure the score.", min=0.0, max=0.5
    )
    folds: int = _choice(
        0,
        "Cross-validation after training: that many models more, each without a part of the cells, so that every "
        "labelled cell is predicted by one that has not seen it; takes that many times as long. 1: not at all. 0, in "
        "the dock: 5 for the quick recipe, which takes seconds, and none for a network.",
        min=0,
        max=50,
        zero="by recipe",
    )
    seed: int = _choice(0, "Same seed, same data, same machine: same result.", min=0, max=2**31 - 1)
    device: str = _choice("auto", "auto, cuda, mps or cpu.", choices=("auto", "cuda", "mps", "cpu"))
    precision: Literal["auto", "full"] = _choice(
        "auto", "auto: half precision where the machine is faster with it. full: never.", choices=("auto", "full")
    )
    threads: int = _choice(
        0, "CPU threads for training; 0: all but one while a viewer is open, else all.", min=0, max=1024
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(one.name, getattr(self, one.name), one.default, one.metadata)
        _check_fixed(numbers("fixed_low", self.fixed_low), numbers("fixed_high", self.fixed_high))

    def but(self, **changes: Any) -> Recipe:
        """Return a copy with some choices changed."""
        unknown = set(changes) - {f.name for f in fields(self)}
        if unknown:
            known = ", ".join(f.name for f in fields(self))
            raise TrainingError(f"A recipe has no choice '{sorted(unknown)[0]}'. It has: {known}.")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as plain JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, name_or_file: str) -> Recipe:
        """Load a named recipe, or one from a TOML file of the user's."""
        file = Path(name_or_file)
        if file.suffix == ".toml" and file.is_file():
            text = file.read_text(encoding="utf-8")
        elif name_or_file in recipe_names():
            text = (_folder() / f"{name_or_file}.toml").read_text(encoding="utf-8")
        else:
            raise TrainingError(
                f"There is no recipe '{name_or_file}'. Choose one of {', '.join(recipe_names())}, or give a .toml file."
            )
        try:
            return cls().but(**tomllib.loads(text))
        except tomllib.TOMLDecodeError as e:
            raise TrainingError(f"The recipe '{name_or_file}' can't be read: {e}. Mend that line of the file.") from e


def epochs_for(cells: int) -> int:
    """Return how many epochs so many training cells need: few cells are seen more often each."""
    return min(max(round(1500 / math.sqrt(max(cells, 1))), 10), 100)


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    return tuple(sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml")))


def numbers(name: str, text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as ``"100, 120.5"``: one for all channels, or one a channel."""
    try:
        found = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise TrainingError(
            f"{name} is '{text}', but must be a number, or one number a channel with commas between. "
            "Change it in the recipe."
        )
    return found


def _check_fixed(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    channels = max(len(low), len(high))
    if min(len(low), len(high)) not in (1, channels):
        raise TrainingError(
            f"fixed_low has {len(low)} numbers and fixed_high {len(high)}. Give both for the same channels."
        )
    for dark, bright in zip(_for_each(low, channels), _for_each(high, channels), strict=True):
        if not dark < bright:
            raise TrainingError(f"fixed_low is {dark:g} and fixed_high {bright:g}. Make fixed_high the larger one.")


def _for_each(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return values * count if len(values) == 1 else values


def _folder() -> Any:
    return resources.files("napari_cellstage.learn") / "recipes"


def _check(name: str, value: Any, default: Any, limits: Mapping[str, Any]) -> None:
    wanted = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(default, bool)):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}.get(type(default), "a text")
        raise TrainingError(f"{name} is {value!r}, but must be {kind}. Change it in the recipe.")
    low, high = limits.get("min"), limits.get("max")
    if low is not None and high is not None and not low <= value <= high:
        raise TrainingError(f"{name} is {value}, but must be from {low} to {high}. Change it in the recipe.")
    if "choices" in limits and value not in limits["choices"]:
        raise TrainingError(f"{name} is '{value}', but must be one of {', '.join(limits['choices'])}.")
