"""Which device trains, how many threads and what precision. Importing this loads no torch.

``python -m napari_cellstage.learn.device`` prints one JSON line, so that a viewer can name the device without loading
torch into its own process: see `probe_command` and `DeviceInfo.from_json`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from napari_cellstage.core.errors import TrainingError

if TYPE_CHECKING:
    import torch
    from torch import nn

ORDER = ("cuda", "mps", "cpu")


@dataclass(frozen=True)
class DeviceInfo:
    """What a viewer shows before training.

    Parameters
    ----------
    device
        ``"cuda"``, ``"mps"`` or ``"cpu"``.
    name
        In words, such as the name of the graphics card.
    """

    device: str
    name: str

    @property
    def text(self) -> str:
        """One line, such as ``"GPU: NVIDIA H200"``."""
        return f"{'CPU' if self.device == 'cpu' else 'GPU'}: {self.name}"

    @classmethod
    def from_json(cls, line: str) -> DeviceInfo:
        """Read the line that `probe_command` prints; raise `TrainingError` when it is none."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError) as e:
            raise TrainingError(f"The device can't be told from {line!r}. Check that torch is installed.") from e


def probe_command() -> list[str]:
    """Return the command whose standard output is one line for `DeviceInfo.from_json`."""
    return [sys.executable, "-m", "napari_cellstage.learn.device"]


def choose_device(wanted: str = "auto") -> torch.device:
    """Return the device to train on.

    Parameters
    ----------
    wanted
        ``"auto"`` for the first there is of cuda, mps, cpu; or one of these.

    Raises
    ------
    TrainingError
        If the wanted device is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(kind for kind in ORDER if there[kind]))
    if not there.get(wanted, False):
        have = ", ".join(kind for kind in ORDER if there[kind])
        raise TrainingError(f"Device '{wanted}' is not there; this machine has {have}. Choose 'auto' or one of these.")
    return torch.device(wanted)


def describe(device: torch.device) -> DeviceInfo:
    """Name a device."""
    import torch

    if device.type == "cuda":
        return DeviceInfo("cuda", torch.cuda.get_device_name(device))
    if device.type == "mps":
        return DeviceInfo("mps", "Apple graphics")
    return DeviceInfo("cpu", f"{cpu_count()} cores")


def cpu_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(wanted: int = 0) -> int:
    """Return how many threads to train with.

    Outside the main thread someone else needs that one, as a viewer does: with every core taken, torch's threads
    and the viewer's wait for each other, and both are many times slower. So one core is left free there.
    """
    if wanted > 0:
        return wanted
    in_worker = threading.current_thread() is not threading.main_thread()
    return max(1, cpu_count() - 1) if in_worker else cpu_count()


@contextmanager
def cpu_threads(wanted: int = 0) -> Iterator[int]:
    """Give torch its number of threads while in the block."""
    import torch

    before, now = torch.get_num_threads(), thread_count(wanted)
    torch.set_num_threads(now)
    try:
        yield now
    finally:
        torch.set_num_threads(before)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Make torch choose the same numbers and the same order of sums each time, while in the block."""
    import torch

    torch.manual_seed(seed)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield


def half_precision(device: torch.device, network: nn.Module, precision: str = "auto") -> torch.dtype | None:
    """Return the number format to compute in, or None for full precision.

    On a graphics card that is bfloat16, or float16 on older ones. A CPU is faster with bfloat16 only where it has
    instructions for it, and never with depthwise convolutions, which have no fast kernel in that format. Nor are
    volumes computed in it there: with torch 2.15 about one gradient in fifty of a 3D convolution was no number.
    """
    import torch

    if precision == "full" or device.type == "mps":
        return None
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() and not _unfit(network) else None


def _cpu_has_bfloat16() -> bool:
    import torch

    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.10 or newer
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _unfit(network: nn.Module) -> bool:
    """Return whether a network has depthwise convolutions, or such of volumes."""
    from torch import nn

    return any(
        isinstance(m, nn.Conv3d) or (isinstance(m, nn.Conv2d) and m.groups == m.in_channels > 1)
        for m in network.modules()
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(describe(choose_device()))) + "\n")
