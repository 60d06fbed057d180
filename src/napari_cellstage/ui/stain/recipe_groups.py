"""Which choices of a stain's recipe come first, and how the rest is grouped."""

from __future__ import annotations

from collections.abc import Mapping

# What a newcomer may want to change.
FIRST = ("epochs", "patch", "filters", "members")
# All the rest, under what it is about.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Planes in z": ("planes", "patch_planes"),
    "Network": ("levels", "multi_scale"),
    "Pieces": ("patches", "signal", "batch_size"),
    "What counts as an error": ("loss", "structure", "content"),
    "Pieces shown turned and changed": ("flip", "rotate", "brightness", "contrast", "noise", "input_scaling"),
    "Steps": ("learning_rate", "weight_decay", "average"),
    "Predicting": ("views", "overlap"),
    "Score": ("holdout", "validation"),
    "Adding a stain to a model": ("freeze",),
    "Machine": ("seed", "device", "precision"),
}
# Choices that are made elsewhere in the page, or for the machine.
NOT_SHOWN = ("name", "about", "dimensions", "register", "threads")
