"""`Verdict`: how far a predicted stain can be trusted, in plain words, per image and time point."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
    uncertainty
        Mean width of the interval that holds 80 % of the true values, as a share of the stain's range in the training
        data, mean over the stains.
    """

    level: Level
    text: str
    share_unlike: float
    uncertainty: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; None for what is not known."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


DOUBTFUL, UNLIKE = 0.1, 0.5  # shares of an image: of images like the training data about 0.01 is over the limit
WIDE = 0.5  # of the stain's range: an interval as wide as that says hardly anything


def judged(unlike: NDArray[np.float32], widths: dict[str, float]) -> Verdict:
    """Return the verdict on one time point.

    Parameters
    ----------
    unlike
        Map as `unlike_map` gives it.
    widths
        By stain: mean width of the 80 % interval, as a share of the stain's range.
    """
    known = unlike[np.isfinite(unlike)]
    share = float((known > 1).sum() / unlike.size) if len(known) else float("nan")
    width = float(np.mean(list(widths.values())))
    vague = [name for name, value in widths.items() if value > WIDE]
    level: Level = "unlike" if share > UNLIKE else "doubtful" if share > DOUBTFUL or vague else "like"
    return Verdict(level, " ".join([_of_share(share), *_of_widths(widths, vague)]), share, width)


def _of_share(share: float) -> str:
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
    return f"Like the training data: only {share:.0%} of the image is unlike it."


def _of_widths(widths: dict[str, float], vague: list[str]) -> list[str]:
    each = ", ".join(f"{name} {value:.0%}" for name, value in widths.items())
    said = [f"Mean uncertainty, as a share of the stain's range: {each}."]
    if vague:
        said.append(f"That is too wide to tell bright from dark places of {', '.join(vague)}.")
    return said
