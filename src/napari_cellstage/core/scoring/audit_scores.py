"""The score on cells that were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.scoring.scores import Scores, score

_SAME_IMAGES = (
    "The cells set aside are of images that others were trained on: the score holds for images like these, "
    "not for a new experiment."
)


@dataclass(frozen=True, eq=False)
class AuditPiece:
    """Labelled and predicted cells of one image.

    Parameters
    ----------
    image_id
        Which image.
    class_ids
        ``(n,)`` the label of each.
    probabilities
        ``(n, K)``.
    predicted_ids
        The K classes that the model knows, as ids of the scheme.
    accepted
        How many of the labels are predictions that were accepted.
    """

    image_id: int
    class_ids: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    predicted_ids: tuple[int, ...]
    accepted: int = 0


def score_audit(pieces: Sequence[AuditPiece], scheme: ClassScheme) -> Scores | None:
    """Score cells that were set aside; None where there is no such cell.

    A label that the model does not know counts as a mistake.
    """
    used = [one for one in pieces if len(one.class_ids)]
    if not used:
        return None
    truth = np.concatenate([_places(one.class_ids, scheme) for one in used])
    probabilities = np.concatenate([_spread(one, scheme) for one in used])
    known = np.unique(np.concatenate([truth, *(_places(np.array(one.predicted_ids), scheme) for one in used)]))
    groups = np.concatenate([np.full(len(one.class_ids), f"image {one.image_id}") for one in used])
    names, kind = [scheme.names[i] for i in known], scheme.kind
    values = probabilities[:, known]
    found = score(
        np.searchsorted(known, truth), values.argmax(axis=1), names, groups=groups, probabilities=values, kind=kind
    )
    accepted = sum(one.accepted for one in used)
    return replace(found, warnings=(_SAME_IMAGES, *_about_accepted(accepted, len(truth)), *found.warnings))


def _about_accepted(accepted: int, count: int) -> tuple[str, ...]:
    """Who sees a prediction first agrees with it more often than who does not."""
    if not accepted:
        return ()
    said = (
        f"{accepted:,} of the {count:,} labels are predictions that were accepted, which flatters the model. "
        "Labels given without a look at the predictions count for more."
    )
    return (said,)


def _places(class_ids: NDArray[np.int64], scheme: ClassScheme) -> NDArray[np.int64]:
    return np.array([scheme.position(int(i)) for i in class_ids], dtype=np.int64)


def _spread(piece: AuditPiece, scheme: ClassScheme) -> NDArray[np.float32]:
    """Return probabilities of all classes of the scheme."""
    values = np.zeros((len(piece.class_ids), len(scheme)), dtype=np.float32)
    values[:, _places(np.array(piece.predicted_ids), scheme)] = piece.probabilities
    return values
