"""`Keeper`: remembers the best weights of a training, in memory, and says when patience is over."""

from __future__ import annotations

import math
from typing import TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Keeper:
    """Keeps the weights with the lowest validation loss; with no validation part, the latest.

    Parameters
    ----------
    patience
        Epochs without a better loss after which training may end; 0: never.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.epoch = 0
        self.loss = math.inf
        self._weights: dict[str, Tensor] = {}

    def look(self, network: nn.Module, epoch: int, loss: float) -> bool:
        """Keep a copy of the weights when they are better, and say whether they are. NaN: there is no loss to go by."""
        if not math.isnan(loss) and loss >= self.loss:
            return False
        self.epoch, self.loss = epoch, loss
        self._weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        return True

    def patience_is_over(self, epoch: int) -> bool:
        """Return whether it is `patience` epochs since the best one."""
        return bool(self.patience) and epoch - self.epoch >= self.patience

    def restore(self, network: Network) -> Network:
        """Put the best weights back into the network; it stays as it is when no epoch was completed."""
        if self._weights:
            network.load_state_dict(self._weights)
        return network
