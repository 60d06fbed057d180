"""`Verdict`: how far a predicted stain can be trusted, in plain words, per image and time point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.whole_looks import Difference

Level = Literal["like", "doubtful", "unlike"]
LEVELS: tuple[Level, ...] = ("like", "doubtful", "unlike")


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of the stain predicted for one time point of an image.

    Parameters
    ----------
    level
        ``"like"``: the image looks like those the model was trained on; ``"doubtful"``: parts of it do not;
        ``"unlike"``: most of it does not, and what is predicted may be invented.
    text
        Plain sentences with the numbers, and what to do.
    share_unlike
        Share of the image that is unlike the training data, 0 to 1; NaN where the model can't tell.
    difference
        How far the image as a whole is from the training images, beyond what these differ, 0 to 1; NaN likewise.
    uncertainty
        Mean width of the interval that holds 80 % of the true values, as a share of the stain's range in the training
        data, mean over the stains.
    """

    level: Level
    text: str
    share_unlike: float
    uncertainty: float
    difference: float = float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; None for what is not known."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


DOUBTFUL, UNLIKE = 0.1, 0.5  # shares of an image: of images like the training data about 0.01 is over the limit
OTHER, FAR = 0.25, 0.6  # differences of an image as a whole: worth a look; too far
WEAK = 0.3  # r on images held out: a model that explains less than a tenth of what there is
WIDE = 0.5  # of the stain's range: an interval as wide as that says hardly anything


def judged(
    unlike: NDArray[np.float32], widths: dict[str, float], whole: Difference, reached: Mapping[str, float]
) -> Verdict:
    """Return the verdict on one time point.

    Parameters
    ----------
    unlike
        Map as `unlike_map` gives it.
    widths
        By stain: mean width of the 80 % interval, as a share of the stain's range.
    whole
        How the image differs as a whole.
    reached
        By stain: mean Pearson r of the model on images held out, where it is known.
    """
    known = unlike[np.isfinite(unlike)]
    share = float((known > 1).sum() / unlike.size) if len(known) else float("nan")
    width = float(np.mean(list(widths.values())))
    vague = [name for name, value in widths.items() if value > WIDE]
    weak = {name: r for name, r in reached.items() if r < WEAK}
    level: Level = "like"
    if share > DOUBTFUL or whole.amount > OTHER or vague or weak:
        level = "doubtful"
    if share > UNLIKE or whole.amount > FAR:
        level = "unlike"
    told = [*_of_model(weak), _of_share(share, whole), *_of_whole(whole), *_of_widths(widths, vague)]
    return Verdict(level, " ".join(told), share, width, whole.amount)


def _of_model(weak: Mapping[str, float]) -> list[str]:
    if not weak:
        return []
    each = ", ".join(f"{name} r {r:.2f}" for name, r in weak.items())
    return [f"The model itself is poor: on images held out it reached {each}. Train longer, or with more images."]


def _of_share(share: float, whole: Difference) -> str:
    if share != share:
        return "Whether this image is like the training data can't be told: the model has learned from too little."
    if share > UNLIKE:
        return (
            f"Unlike the training data: {share:.0%} of the image looks like nothing the model was trained on, so the "
            "stain may be invented. Check the channel, the focus and the pixel size, or train with images of this kind."
        )
    if share > DOUBTFUL:
        return (
            f"Partly unlike the training data: {share:.0%} of the image. Look at the map of unlike places before you "
            "use the stain there."
        )
    if whole.amount > OTHER:
        return f"Place by place only {share:.0%} of the image is unlike the training data."
    return f"Like the training data: only {share:.0%} of the image is unlike it."


def _of_whole(whole: Difference) -> list[str]:
    if whole.amount > FAR:
        return [
            f"As a whole the image is unlike the training images, most in {whole.kind}, so the stain may be invented. "
            "Take it as those were taken, or train with images of this kind."
        ]
    if whole.amount > OTHER:
        return [f"As a whole the image differs from the training images, most in {whole.kind}. Look at it closely."]
    return []


def _of_widths(widths: dict[str, float], vague: list[str]) -> list[str]:
    each = ", ".join(f"{name} {value:.0%}" for name, value in widths.items())
    said = [f"Mean uncertainty, as a share of the stain's range: {each}."]
    if vague:
        said.append(f"That is too wide to tell bright from dark places of {', '.join(vague)}.")
    return said
