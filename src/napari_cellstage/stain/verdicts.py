"""`Verdict`: how far a predicted stain can be trusted, in plain words, per image and time point."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

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
