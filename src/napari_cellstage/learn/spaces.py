"""The `Space` of a run, read without its network."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.space import PREFIX, Space
from napari_cellstage.learn.model_files import MEMBERS, WEIGHTS, member_count


def read_space(folder: Path) -> Space | None:
    """Return where the model of a run sees cells; None where it does not say, or its file is gone.

    An ensemble sees them where its first member that says so does.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    file = folder / WEIGHTS
    if not file.is_file():
        members = (read_space(folder / MEMBERS / str(number)) for number in range(member_count(folder)))
        return next((one for one in members if one is not None), None)
    try:
        with safe_open(file, framework="np") as opened:
            names = [name for name in opened.keys() if name.startswith(PREFIX)]  # noqa: SIM118 - it is no mapping
            return Space.from_arrays({name: opened.get_tensor(name) for name in names})
    except (OSError, SafetensorError) as e:
        raise ModelError(f"'{file}' is damaged or cut short: {e}. Copy the run folder again, or train anew.") from e
