"""What `stain_speed` measures the memory of, in a process of its own: prints one line of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks._large_work import peak_gb
from napari_cellstage.core.images import open_image
from napari_cellstage.core.steps import finished
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.predict import predict_stains


def main() -> None:
    """Predict the image in a folder by the model that lies beside it."""
    folder = Path(sys.argv[1])
    model, stack = StainModel.load(folder / "model"), open_image(folder / "made.ome.zarr")
    found = finished(predict_stains(model, stack, inputs=[0], into=folder / "predicted.zarr"))
    if not np.isfinite(np.asarray(found.mean[0, 0, 0, ::64, ::64])).all():
        raise RuntimeError("The stain was not predicted: the figure would be of nothing.")
    sys.stdout.write(json.dumps({"peak_gb": peak_gb()}) + "\n")


if __name__ == "__main__":
    main()
