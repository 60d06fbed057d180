"""What a model of stains is worth, in words: r with its interval, on what, and what to know of it. No widgets."""

from __future__ import annotations

from html import escape
from math import isfinite
from typing import TYPE_CHECKING

from napari_cellstage.ui.next_step import made_text

if TYPE_CHECKING:
    from napari_cellstage.stain.run_records import StainRun
    from napari_cellstage.stain.scores import StainScore
    from napari_cellstage.ui.stain.learn_work import Learned


def score_text(answer: Learned) -> str:
    """Return the score of a training as rich text, with what it was measured on."""
    name, scores = escape(answer.recipe), answer.scores
    if scores is None:
        return f"<b>{name}</b>: nothing was held out, or it was stopped before it was scored, so there is no score."
    what = "1 held-out part" if scores.n_images == 1 else f"{scores.n_images:,} held-out images or parts"
    lines = [f"<b>{name}</b>, on {what} that it did not learn from:", *map(_stain_line, scores.stains)]
    lines += [f"⚠ {escape(one)}" for one in scores.notes]
    return "<br>".join(lines)


def run_text(run: StainRun) -> str:
    """Return a trained model in lines: from what it predicts what; when it was made; r of each stain."""
    what = f"{', '.join(run.inputs)} → {', '.join(run.stains)}" if run.stains else run.name
    made, scores = [made_text(run.made), run.recipe], [_run_score(run, one) for one in run.stains]
    known = [one for one in scores if one]
    lines = [made, *([one] for one in known)] if len(run.stains) > 1 else [made + known]
    mark = "⚠ " if run.problem else ""
    return "\n".join([f"{mark}{what}", *(" · ".join(one for one in line if one) for line in lines)])


def _run_score(run: StainRun, stain: str) -> str:
    if stain not in run.pearson or not isfinite(run.pearson[stain]):
        return ""
    name = f"{stain} " if len(run.stains) > 1 else ""
    return f"{name}r {run.pearson[stain]:.2f}{_interval(run.interval.get(stain))}"


def _stain_line(one: StainScore) -> str:
    if not isfinite(one.pearson):
        why = next((image.note for image in one.images if image.note), "there is no r")
        return f"{escape(one.name)}: {escape(why)}"
    told = [f"r {one.pearson:.3f}{_interval(one.pearson_interval)}"]
    if isfinite(one.baseline):
        told.append(f"best single plane, blurred: {one.baseline:.3f}")
    return f"{escape(one.name)}: {'; '.join(told)}"


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None or not all(map(isfinite, ends)) else f" ({ends[0]:.2f}–{ends[1]:.2f})"
