"""Every choice of a training in one frozen, serialisable dataclass, with limits and tooltips for form, CLI and card.

The named recipes are the TOML files in `recipes/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomllib

from napari_cellstage.core.errors import TrainingError


def _choice(default: Any, tip: str, **limits: Any) -> Any:
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class Recipe:
    """All that decides what a training does, besides the data.

    Field metadata holds ``tip`` (in a biologist's words) and, for numbers, ``min`` and ``max``; for text, ``choices``.
    """

    name: str = _choice("quick", "Name of the recipe.")
    kind: Literal["quick", "finetune"] = _choice(
        "quick", "quick: per-cell features and a small classifier, seconds. finetune: a network, minutes."
    )
    network: str = _choice("resnet34", "Which torchvision network is trained.")
    weights: str = _choice("imagenet", "Where the network starts: imagenet, none (from scratch), or a weights file.")
    epochs: int = _choice(20, "How often the network sees every labelled cell.", min=1, max=1000)
    batch_size: int = _choice(32, "Cells per training step; halved when graphics memory runs out.", min=2, max=4096)
    crop_size: int = _choice(64, "Side of the square around each cell that the network sees, in pixels.", min=8, max=1024)
    normalise: Literal["dataset", "crop"] = _choice(
        "dataset", "dataset: bright and dim cells stay different. crop: each cell is stretched to the full range."
    )
    learning_rate: float = _choice(1e-3, "Step size at its peak.", min=1e-7, max=1.0)
    weight_decay: float = _choice(0.01, "Pull towards small weights, against overfitting.", min=0.0, max=1.0)
    label_smoothing: float = _choice(0.1, "Share of doubt in each label, against overconfidence.", min=0.0, max=0.5)
    class_weights: bool = _choice(True, "Rare classes count more, so that they are not ignored.")
    rotate: bool = _choice(True, "Show cells turned by any angle.")
    flip: bool = _choice(True, "Show cells mirrored.")
    scale: float = _choice(0.1, "Show cells up to this share smaller or larger.", min=0.0, max=0.9)
    shift: float = _choice(0.05, "Show cells moved by up to this share of the crop.", min=0.0, max=0.5)
    brightness: float = _choice(0.1, "Show cells up to this share darker or brighter.", min=0.0, max=1.0)
    contrast: float = _choice(0.1, "Show cells with up to this share less or more contrast.", min=0.0, max=1.0)
    noise: float = _choice(0.02, "Add camera-like noise up to this level.", min=0.0, max=1.0)
    patience: int = _choice(0, "Stop after this many epochs without a better score; 0: never.", min=0, max=1000)
    holdout: float = _choice(0.2, "Share of labelled cells kept out of training to measure the score.", min=0.0, max=0.5)
    seed: int = _choice(0, "Same seed, same data, same machine: same result.", min=0, max=2**31 - 1)
    device: str = _choice("auto", "auto, cuda, mps or cpu.")
    threads: int = _choice(0, "CPU threads for training; 0: all but one while a viewer is open, else all.", min=0, max=1024)

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            low, high = one.metadata.get("min"), one.metadata.get("max")
            if low is not None and not low <= value <= high:
                raise TrainingError(f"{one.name} is {value}, but must be from {low} to {high}. Change it in the recipe.")

    def but(self, **changes: Any) -> Recipe:
        """Return a copy with some choices changed."""
        unknown = set(changes) - {f.name for f in fields(self)}
        if unknown:
            known = ", ".join(f.name for f in fields(self))
            raise TrainingError(f"A recipe has no choice '{sorted(unknown)[0]}'. It has: {known}.")
        return replace(self, **changes)

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
        return cls().but(**tomllib.loads(text))


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    return tuple(sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml")))


def _folder() -> Any:
    return resources.files("napari_cellstage.learn") / "recipes"
