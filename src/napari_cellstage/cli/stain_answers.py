"""What the stain commands answer with: scores as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from napari_cellstage.cli.answers import aligned
from napari_cellstage.stain.scores import ImageScore, StainScore, StainScores

_SHOWN_IMAGES = 20  # of which a table fits a terminal
_OF_STAIN = (
    "pearson", "ssim", "content_r", "residual_pearson", "cells_pearson", "worst_tenth", "coverage", "baseline",
)  # fmt: skip


def figures(scores: StainScores | None) -> dict[str, Any]:
    """Return scores under the names they have in the JSON; null where nothing was scored.

    ``pearson`` and ``ssim`` are means over images, of several stains their mean; all of each stain is under
    ``stains``, all of each image under ``images``.
    """
    stains = () if scores is None else scores.stains
    found: dict[str, Any] = {name: _mean(getattr(one, name) for one in stains) for name in _OF_STAIN[:3]}
    found["stains"] = {one.name: _of_stain(one) for one in stains}
    found["images"] = _images(stains)
    found["calibrated_here"] = scores is not None and scores.calibrated_here
    return found | {"n_scored": len(found["images"]), "notes": list(scores.notes) if scores is not None else []}


def score_lines(scores: StainScores, title: str) -> list[str]:
    """Return scores as lines of text: each stain, and each image where there are few. Notes were said on the way.

    Parameters
    ----------
    scores
        Of images, or parts of them, that were not learned from.
    title
        What was scored, such as ``"held out"``.
    """
    head = ("stain", "Pearson r", "95 % interval", "SSIM", "content r", "baseline r", "worst tenth")
    lines = [title, *aligned([head, *map(_row, scores.stains)])]
    lines += [f"baseline of {one.name}: {one.baseline_text}" for one in scores.stains if one.baseline_text]
    return [*lines, *_image_lines(scores.stains)]


def number(value: float | None) -> str:
    """Return a figure with three places; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _row(one: StainScore) -> tuple[str, ...]:
    low, high = one.pearson_interval
    interval = f"{number(low)} to {number(high)}" if math.isfinite(low) else "-"
    rest = (one.ssim, one.content_r, one.baseline, one.worst_tenth)
    return one.name, number(one.pearson), interval, *map(number, rest)


def _image_lines(stains: tuple[StainScore, ...]) -> list[str]:
    images = _images(stains)
    if not 1 < len(images) <= _SHOWN_IMAGES:
        return []
    names = [one.name for one in stains]
    rows = [(one["image"], *(number(one["stains"].get(name, {}).get("pearson")) for name in names)) for one in images]
    return ["", *aligned([("image", *(f"r of {name}" for name in names)), *rows])]


def _of_stain(one: StainScore) -> dict[str, Any]:
    low, high = one.pearson_interval
    plain = {name: getattr(one, name) for name in _OF_STAIN} | {"low": low, "high": high}
    return plain | {"baseline_text": one.baseline_text, "error_curve": [list(pair) for pair in one.error_curve]}


def _images(stains: tuple[StainScore, ...]) -> list[dict[str, Any]]:
    """Return each image once, with all its stains; r and SSIM are their means."""
    found: dict[tuple[str, int], dict[str, ImageScore]] = {}
    for stain in stains:
        for image in stain.images:
            found.setdefault((image.name, image.t), {})[stain.name] = image
    return [_of_image(scores) for scores in found.values()]


def _of_image(scores: dict[str, ImageScore]) -> dict[str, Any]:
    first = next(iter(scores.values()))
    each = {
        name: {key: getattr(one, key) for key in ("pearson", "ssim", "predicted_sum", "true_sum", "note")}
        for name, one in scores.items()
    }
    means = {key: _mean(getattr(one, key) for one in scores.values()) for key in ("pearson", "ssim")}
    return {"image": first.name, "group": first.group, "t": first.t} | means | {"stains": each}


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return fmean(known) if known else None
