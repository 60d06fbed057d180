"""`StainLearner`: a network of stains with its optimiser and averaged weights, and what one step does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import cast

from torch import Tensor, nn

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.device import half_precision
from napari_cellstage.learn.learner import listen_for_stop
from napari_cellstage.learn.optimisers import BODY_RATE, set_rate
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weight_averaging import Average
from napari_cellstage.stain.loss import StainLoss
from napari_cellstage.stain.networks import StainNetwork
from napari_cellstage.stain.recipe import StainRecipe

MOST_LOST = 20  # batches in a row whose gradient is no number, and from which nothing is learned
LONGEST = 1.0  # norm of a gradient; longer ones, of a patch with an artefact say, are shortened
Answer = Callable[[Tensor, Tensor], tuple[Tensor, float]]  # what is said of inputs and targets, and its loss


class StainLearner:
    """Trains a network batch by batch.

    Parameters
    ----------
    network
        On its device already.
    recipe
        Rates, loss, averaging.
    stains
        Which of the network's stains the targets are, in their order; the heads of others stay as they are.
    pretrained
        Whether the body has learned something before: it then moves less, or with ``freeze`` not at all.
    should_stop
        Asked between the layers of a batch.
    """

    def __init__(
        self,
        network: StainNetwork,
        recipe: StainRecipe,
        stains: tuple[int, ...],
        pretrained: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        self.recipe, self.network = recipe, network
        self.device = next(network.parameters()).device
        self.dtype = half_precision(self.device, network, recipe.precision)
        self.loss = StainLoss(recipe).to(self.device)
        self._frozen = pretrained and recipe.freeze
        self.stains = stains
        self._choose()
        self._optimiser = _optimiser(network, recipe, pretrained)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self._average = Average(network, recipe.average)
        self._learning, self._lost = False, 0
        listen_for_stop(network, lambda: self._learning and should_stop())

    def step(self, inputs: Tensor, targets: Tensor, rate: float) -> Tensor:
        """Learn from one batch.

        Parameters
        ----------
        inputs, targets
            As `Cutter.cut` gives them.
        rate
            Share of the learning rate that this step is made with.

        Returns
        -------
        Tensor
            ``()``: the loss of the mean, on its device.

        Raises
        ------
        Stopped
            If somebody wants to stop; the batch is then not learned from.
        """
        set_rate(self._optimiser, rate)
        self._to_train()
        self._learning = True
        try:
            return self._step(inputs, targets)
        finally:
            self._learning = False

    def _step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        inputs, targets = inputs.to(self.device, non_blocking=True), targets.to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            said = self.network(inputs)
        loss, interval = self.loss(said[:, list(self.stains)], targets)
        self._optimiser.zero_grad()
        self._scaler.scale(loss + interval).backward()
        self._scaler.unscale_(self._optimiser)
        length = float(nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST))
        self._lost = 0 if math.isfinite(length) else self._lost + 1
        if self._lost > MOST_LOST:
            check_finite(length)
        if not self._lost or self._scaler.is_enabled():  # which finds out by itself, and takes smaller numbers next
            self._scaler.step(self._optimiser)
        self._scaler.update()
        self._average.step()
        return cast(Tensor, loss.detach())

    def look(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """Say what the best guess says, see `answer`."""
        return answer(self.best_guess, self.loss, self.stains, self.dtype, inputs, targets)

    @property
    def steps(self) -> int:
        """How many batches were learned from."""
        return self._average.steps

    @property
    def best_guess(self) -> StainNetwork:
        """The network to predict with: averaged where that is chosen and enough steps were done."""
        return self._average.best_guess

    def _choose(self) -> None:
        """Let only those parts learn that should."""
        self.network.body.requires_grad_(not self._frozen)
        for place, head in enumerate(self.network.heads):
            head.requires_grad_(place in self.stains)

    def _to_train(self) -> None:
        self.network.train()
        if self._frozen:
            self.network.body.eval()  # also what batch normalisation has seen stays as it is


@torch.no_grad()
def answer(
    network: nn.Module,
    loss: StainLoss,
    stains: Sequence[int],
    dtype: torch.dtype | None,
    inputs: Tensor,
    targets: Tensor,
) -> tuple[Tensor, float]:
    """Return what a network says of a batch, ``(B, S, 3, ...)`` float32 on the CPU, and its loss.

    Parameters
    ----------
    network
        On its device.
    loss, stains, dtype
        How wrong it is, which of its stains are asked for, and in what format it computes, None for full precision.
    inputs, targets
        As `Cutter.cut` gives them.
    """
    device = next(network.parameters()).device
    with torch.autocast(device.type, dtype, enabled=dtype is not None):
        said = network.eval()(inputs.to(device)).float()[:, list(stains)]
    found, _interval = loss(said, targets.to(device))
    return said.cpu(), float(found)


def check_finite(loss: float) -> None:
    """Raise `TrainingError` where the loss is no number any more: nothing good comes after it."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss has become {loss}: the steps are too large, or the intensities are. Set a lower learning_rate, "
            "a tenth of it say, or precision to full."
        )


def _optimiser(network: StainNetwork, recipe: StainRecipe, pretrained: bool) -> torch.optim.Optimizer:
    """Return AdamW; biases and the scales of normalisation layers are not pulled towards zero."""
    groups = []
    for part, share in ((network.body, BODY_RATE if pretrained else 1.0), (network.heads, 1.0)):
        for decays in (True, False):
            chosen = [p for p in part.parameters() if p.requires_grad and (p.ndim > 1) == decays]
            decay = recipe.weight_decay if decays else 0.0
            if chosen:
                groups.append({"params": chosen, "weight_decay": decay, "peak": recipe.learning_rate * share})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=next(network.parameters()).device.type != "mps")
