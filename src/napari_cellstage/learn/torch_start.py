"""The only door to torchvision: loads it in a way that survives an open viewer.

Where OpenGL is drawn in software (virtual screens, remote desktops), the viewer has loaded Mesa's own LLVM. Triton,
which torchvision and torch's optimisers load when first used, would bind to that one and crash the process, so its
library is loaded first, bound to itself.
"""

from __future__ import annotations

import importlib
import os
import sys

import torch

from napari_cellstage.core.errors import TrainingError


def load_triton_bound_to_itself() -> bool:
    """Load triton's library so that it uses its own symbols first; return whether it is there to load."""
    if sys.platform != "linux":
        return False
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        importlib.import_module("triton._C.libtriton")
    except ImportError:
        return False
    finally:
        sys.setdlopenflags(flags)
    return True


load_triton_bound_to_itself()
try:
    import torchvision
except RuntimeError as e:  # "operator torchvision::nms does not exist"
    raise TrainingError(
        f"The installed torchvision does not belong to the installed torch {torch.__version__}: {e}. "
        "Install both again, together and from the same place."
    ) from e

__all__ = ["load_triton_bound_to_itself", "torch", "torchvision"]
