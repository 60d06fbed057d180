"""`Average`: a network whose weights are the running mean of those of a network that learns."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

EVERY = 4  # steps; averaging costs memory traffic, and neighbouring steps are alike

Tensors = tuple[Tensor, ...] | list[Tensor]
Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """Follows a network while it learns.

    Parameters
    ----------
    network
        That learns.
    keep
        Share of the mean that stays at each step, 0 to 1; 0: nothing is averaged.

    Attributes
    ----------
    steps
        Of learning, so far.
    """

    def __init__(self, network: Network, keep: float) -> None:
        self._network, self._keep, self.steps = network, keep, 0
        self._averaged = AveragedModel(network, multi_avg_fn=self._moved, use_buffers=True) if keep else None

    def step(self) -> None:
        """Follow one step of learning."""
        self.steps += 1
        if self._averaged is not None and self.steps % EVERY == 0:
            self._averaged.update_parameters(self._network)

    @property
    def best_guess(self) -> Network:
        """The network to predict with: averaged where that is chosen and enough steps were done."""
        if self._averaged is None or self.steps < EVERY:
            return self._network
        return cast(Network, self._averaged.module)

    def _moved(self, averaged: Tensors, now: Tensors, count: Tensor | int) -> None:
        # Early weights are far off, so at first the average is over few steps (as Tarvainen & Valpola 2017 do).
        keep = min(self._keep**EVERY, (1 + int(count)) / (10 + int(count)))
        for old, new in zip(averaged, now, strict=True):
            if old.is_floating_point():
                old.lerp_(new.to(old.dtype), 1 - keep)
            else:
                old.copy_(new)
