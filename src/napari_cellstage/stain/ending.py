"""After the last epoch of a training of stains: the interval is calibrated, and the model made with its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from numpy.typing import NDArray

from napari_cellstage.learn.card import STAIN
from napari_cellstage.learn.device import half_precision
from napari_cellstage.learn.machine import versions
from napari_cellstage.stain.card import FORMAT, split_values
from napari_cellstage.stain.learner import answer
from napari_cellstage.stain.lessons import Trained
from napari_cellstage.stain.loss import StainLoss
from napari_cellstage.stain.model import NETWORK, StainModel, named
from napari_cellstage.stain.networks import Averaged
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import StainSplit
from napari_cellstage.stain.start import Start
from napari_cellstage.stain.transfer_split import EARLIER, learned
from napari_cellstage.stain.unlike import learn_familiar
from napari_cellstage.stain.validating import Watch, calibration


def model_of(
    data: StainSet, split: StainSplit, start: Start, watch: Watch, members: Sequence[Trained], stopped: bool
) -> StainModel:
    """Return the model of trained networks.

    Parameters
    ----------
    data, split, start
        What it was trained on, and from where.
    watch
        Places that nothing was learned from: by them the interval is calibrated.
    members
        One or more.
    stopped
        Whether it was ended by hand.
    """
    calibrated = _calibrated(start, watch, members)
    arrays: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(members):
        tensors = one.network.state_dict().items()
        arrays |= named(f"{NETWORK}{number}", {name: tensor.detach().cpu().numpy() for name, tensor in tensors})
    familiar = learn_familiar(data, split.train, start.scaling, start.recipe.seed)
    unsized = StainModel(
        start.recipe,
        start.plan,
        data.input_names if start.model is None else start.model.input_names,
        start.stain_names,
        data.pixel_size_um if start.model is None else start.model.pixel_size_um,
        start.scaling,
        calibrated,
        {},
        arrays | familiar.arrays(),
    )
    card = _card(unsized) | {
        "members": len(members),
        "epochs_done": [one.epoch for one in members],
        "stopped": stopped,
        "split": split_values(data, split) | {EARLIER: learned(start.model) if start.model else []},
        "calibrated_on": ("validation" if split.validation else "held_out") if len(watch) else "",
        "images": len(data.pairs),
        "notes": list(data.notes),
        "started_from": _origin(start),
    }
    return replace(unsized, card=card)


def _card(model: StainModel) -> dict[str, Any]:
    size = model.pixel_size_um
    return {
        "format": FORMAT,
        "kind": STAIN,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "input_names": list(model.input_names),
        "stain_names": list(model.stain_names),
        "output": model.output,
        "planes": model.planes,
        "pixel_size_um": None if size is None else list(size),
        "recipe": model.recipe.to_dict(),
        "seed": model.recipe.seed,
        "plan": model.plan.to_dict(),
        "scaling": model.scaling.to_dict(),
        "calibration": model.calibration,
        "versions": versions(),
    }


def _calibrated(start: Start, watch: Watch, members: Sequence[Trained]) -> dict[str, float]:
    """Return the factor of each stain; those that the data lack keep theirs."""
    known = dict(start.model.calibration) if start.model else {}
    known = {name: known.get(name, 1.0) for name in start.stain_names}
    if not len(watch):
        return known
    networks = [one.network for one in members]
    together = networks[0] if len(networks) == 1 else Averaged(networks)
    device = next(together.parameters()).device
    dtype = half_precision(device, together, start.recipe.precision)
    ask = partial(answer, together, StainLoss(start.recipe).to(device), start.learned, dtype)
    said, _loss = watch.answers(ask)
    targets = watch.targets.numpy()
    found = {name: calibration(said[:, place], targets[:, place]) for place, name in enumerate(watch.stain_names)}
    return known | found


def _origin(start: Start) -> dict[str, Any] | None:
    """Return what the training started from, as JSON values; None where it started anew."""
    if start.model is None:
        return None
    return {
        "made": start.model.card.get("made"),
        "stains": list(start.model.stain_names),
        "new": list(start.new),
        "frozen": start.recipe.freeze,
    }
