"""`Learner`: a network with its optimiser and averaged weights, and what one step does. The loop is not here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.augment import augment
from napari_cellstage.learn.device import half_precision
from napari_cellstage.learn.networks import CellNetwork
from napari_cellstage.learn.optimisers import optimiser_of, set_rate
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weight_averaging import Average


class Stopped(Exception):  # noqa: N818 - a wish that is heard, not an error
    """Somebody wants to stop, and it was heard in the middle of a batch."""


@contextmanager
def torch_errors_said_plainly() -> Iterator[None]:
    """Turn torch's errors into `TrainingError` with their own text.

    They are RuntimeErrors, which a viewer's worker for generators swallows: it would wait for ever.
    """
    try:
        yield
    except RuntimeError as e:
        raise TrainingError(f"Training can't go on. What torch says: {e}") from e


class Learner:
    """Trains a network batch by batch.

    Parameters
    ----------
    network
        On its device already.
    recipe
        Rates, changes to the crops, averaging.
    class_weights
        ``(K,)``, one a class.
    pretrained
        Whether the network's body has learned something before.
    should_stop
        Asked between the layers of a batch.
    """

    def __init__(
        self,
        network: CellNetwork,
        recipe: Recipe,
        class_weights: Tensor,
        pretrained: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        self.recipe = recipe
        self.batch_size = recipe.batch_size
        self.network = network
        self.device = next(network.parameters()).device
        self.dtype = half_precision(self.device, network, recipe.precision)
        self.order = torch.Generator().manual_seed(recipe.seed)
        self._changes = torch.Generator(self.device).manual_seed(recipe.seed)
        listen_for_stop(network, should_stop)
        self._average = Average(network, recipe.average)
        self._criterion = nn.CrossEntropyLoss(class_weights.to(self.device), label_smoothing=recipe.label_smoothing)
        self._optimiser = optimiser_of(network, recipe, pretrained)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    def step(self, crops: Tensor, labels: Tensor, rate: float) -> float:
        """Learn from one batch.

        Parameters
        ----------
        crops
            ``(N, C, H, W)`` float, normalised, not yet changed at random.
        labels
            ``(N,)`` int64.
        rate
            Share of the learning rate that this step is made with, as `rate_at` gives it.

        Returns
        -------
        float
            The loss.

        Raises
        ------
        Stopped
            If `should_stop` says so meanwhile; the batch is then not learned from.
        """
        set_rate(self._optimiser, rate)
        self.network.train()
        crops = augment(crops.to(self.device), self.recipe, self._changes)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            logits = self.network(crops)
        loss = self._criterion(logits.float(), labels.to(self.device))
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._average.step()
        return float(loss.detach())

    @property
    def steps(self) -> int:
        """How many batches were learned from."""
        return self._average.steps

    @property
    def best_guess(self) -> CellNetwork:
        """The network to predict with: averaged where that is chosen and enough steps were done."""
        return self._average.best_guess

    def rest(self) -> None:
        """Let go of memory that only the next step needs, while other networks have their turn."""
        self._optimiser.zero_grad()


def class_weights(labels: Tensor, classes: int, wanted: bool) -> Tensor:
    """Return ``(K,)`` weights whose mean over the cells is 1.

    A class counts by the root of its rarity: in full, a handful of cells would pull more than they are worth.
    """
    counts = torch.bincount(labels, minlength=classes).clamp(min=1).float()
    weights = counts.rsqrt() if wanted else torch.ones(classes)
    return weights / weights[labels].mean()


def listen_for_stop(network: nn.Module, should_stop: Callable[[], bool]) -> None:
    """Make a network on the CPU raise `Stopped` between its layers: a batch of large crops takes seconds there."""
    if next(network.parameters()).device.type != "cpu":
        return

    def check(*_: object) -> None:
        if should_stop():
            raise Stopped

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        check()
        if output.requires_grad:
            output.register_hook(check)  # type: ignore[no-untyped-call]

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.Linear)):
            module.register_forward_hook(hook)
