"""With what a run was made: versions of packages and kind of machine. Where both are the same, so are the figures."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from napari_cellstage.learn.device import choose_device, cpu_count, describe, thread_count
from napari_cellstage.learn.recipe import Recipe

PACKAGES = (
    "napari-cellstage", "numpy", "scipy", "scikit-image", "scikit-learn", "torch", "torchvision", "xgboost",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that figures depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def machine(recipe: Recipe) -> dict[str, Any]:
    """Return on what kind of machine a training by this recipe goes; nothing that tells whose it is.

    Ask in the thread that trains: how many threads there are depends on it.
    """
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": cpu_count(),
        "threads": thread_count(recipe.threads),
        "device": _device(recipe),
    }


def _device(recipe: Recipe) -> str:
    """Return what computed; the quick recipe does without torch, and so without a graphics card."""
    if recipe.kind == "quick" or "torch" not in sys.modules:
        return "CPU"
    device = choose_device(recipe.device)
    return "CPU" if device.type == "cpu" else describe(device).text


def _processor() -> str:
    with suppress(OSError):  # where there is such a file, as `platform` says nothing there
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
