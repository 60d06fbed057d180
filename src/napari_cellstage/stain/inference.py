"""What trained networks answer about windows: batch by batch, in several turned and mirrored views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.device import half_precision
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.networks import Averaged, StainNetwork

Floats = NDArray[np.float32]
Tag = TypeVar("Tag")
VOXELS = {"cpu": 1 << 18, "mps": 1 << 20, "cuda": 1 << 22}  # in a batch, of one input channel
LARGEST_BATCH = 64


class Asker:
    """A network made ready once, for windows that come in any number.

    Parameters
    ----------
    network
        One, or several averaged.
    views
        How many of the 8 ways to turn and mirror are averaged.
    factors
        ``(S,)`` by which widths between the quantiles are multiplied, so that they hold 80 % of the true values.
    device
        Where to compute.
    precision
        ``"auto"`` or ``"full"``, see `half_precision`.
    """

    def __init__(
        self,
        network: StainNetwork | Averaged,
        views: int,
        factors: Sequence[float],
        device: torch.device,
        precision: str = "auto",
    ) -> None:
        self._network = network.to(device).eval()
        self._views, self._device = views, device
        self._factors = torch.tensor(list(factors), dtype=torch.float32, device=device).view(-1, 1, 1, 1)
        self._dtype = half_precision(device, network, precision)
        self._most = LARGEST_BATCH

    def answers(
        self, windows: Iterable[tuple[Tag, Floats]], should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[list[tuple[Tag, Floats]]]:
        """Yield batch by batch what is answered about windows ``(C, Z, h, w)``, in their order, until stopped.

        An answer is ``(2 S, Zout, h, w)``: the means of the S stains, then the widths of their intervals.
        """
        for batch in self._batches(windows):
            if should_stop():
                return
            with said_plainly():
                answers = self._answer(np.stack([window for _, window in batch]))
            yield [(tag, answer) for (tag, _), answer in zip(batch, answers, strict=True)]

    def _batches(self, windows: Iterable[tuple[Tag, Floats]]) -> Iterator[list[tuple[Tag, Floats]]]:
        """Put windows of the same shape together, as many as are well computed at once."""
        batch: list[tuple[Tag, Floats]] = []
        for tag, window in windows:
            room = max(1, VOXELS[self._device.type] // int(np.prod(window.shape[1:])))
            if batch and (batch[0][1].shape != window.shape or len(batch) >= min(room, self._most)):
                yield batch
                batch = []
            batch.append((tag, window))
        if batch:
            yield batch

    def _answer(self, windows: Floats) -> Floats:
        try:
            return self._asked(torch.from_numpy(windows).to(self._device)).cpu().numpy()
        except torch.OutOfMemoryError:
            if len(windows) == 1:
                raise
            self._most = len(windows) // 2
            torch.cuda.empty_cache()
            return np.concatenate([self._answer(half) for half in np.array_split(windows, 2)])

    @torch.inference_mode()
    def _asked(self, windows: Tensor) -> Tensor:
        """Return means and widths ``(B, 2 S, Zout, h, w)``, averaged over the views."""
        total: Tensor | None = None
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None):
            for number in range(self._views):
                answer = turned_back(self._through(turned_to(windows, number)).float(), number)
                total = answer if total is None else total.add_(answer)
        assert total is not None
        mean, low, high = (total / self._views).unbind(dim=2)
        return torch.cat([mean, (high - low).clamp(min=0) * self._factors], dim=1)

    def _through(self, windows: Tensor) -> Tensor:
        """Return ``(B, S, 3, Zout, h, w)`` of windows ``(B, C, Z, h, w)``."""
        if self._network.plan.volume:
            answer: Tensor = self._network(windows)
            return answer
        answer = self._network(windows.flatten(1, 2))
        return answer.unsqueeze(3)


def turned_to(images: Tensor, number: int) -> Tensor:
    """Return one of the 8 ways to turn and mirror the last two axes; 0 is as they are."""
    if number & 4:
        images = images.transpose(-1, -2)
    axes = [axis for bit, axis in ((1, -1), (2, -2)) if number & bit]
    return images.flip(axes) if axes else images


def turned_back(images: Tensor, number: int) -> Tensor:
    """Undo `turned_to`."""
    axes = [axis for bit, axis in ((1, -1), (2, -2)) if number & bit]
    images = images.flip(axes) if axes else images
    return images.transpose(-1, -2) if number & 4 else images


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn torch's errors, which are RuntimeErrors that a viewer's worker swallows, into `ModelError`."""
    try:
        yield
    except RuntimeError as e:
        raise ModelError(
            f"The network can't go on. What torch says: {str(e).splitlines()[0]}. Where memory is short, close other "
            "programs, or predict with the device cpu."
        ) from e
