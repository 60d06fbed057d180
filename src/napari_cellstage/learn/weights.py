"""Where a network starts: ImageNet weights, a file of the user's, or from scratch. Nothing is unpickled freely."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from napari_cellstage.core.errors import WeightsError
from napari_cellstage.learn.download import DownloadError, download
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.nets.names import pretrained_as
from napari_cellstage.learn.networks import CellNetwork, adapt_filters, first_conv
from napari_cellstage.learn.torch_start import torch, torchvision

FROM_SCRATCH = "from scratch"
LEAST_SHARE = 0.5  # of the network's parameters that a weights file must fit
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "backbone.", "_orig_mod.")


def start_weights(
    network: CellNetwork, name: str, weights: str, should_stop: Callable[[], bool]
) -> Generator[Note | BatchDone, None, str]:
    """Give a new network its first weights, and say which.

    Parameters
    ----------
    network
        Changed in place. Its stem takes the pretrained filters for whatever channels it has; its head stays new,
        unless a file has one of the same shape.
    name
        The name it was made by.
    weights
        ``"imagenet"``, ``"none"``, or a ``.safetensors``, ``.pth`` or ``.pt`` file, or a run folder.
    should_stop
        Asked while downloading.

    Returns
    -------
    str
        For the model's card, such as ``"ImageNet (IMAGENET1K_V1)"``.

    Raises
    ------
    WeightsError
        If a file of the user's can't be used. A failed download is no error: the next best start is taken.
    """
    if weights == "none":
        yield Note(f"{name} starts from scratch, as chosen.")
        return FROM_SCRATCH
    if weights != "imagenet":
        share = load_into(network, read_weights(Path(weights)), weights)
        yield Note(f"{name} starts from '{weights}', which gave {share:.0%} of its parameters.")
        return weights
    return (yield from _imagenet(network, name, should_stop))


def weights_at_hand(name: str) -> Path | None:
    """Return the file of a network's ImageNet weights when it is on this machine already, the newest kind first."""
    if (known := pretrained_as(name)) is None:
        return None
    choices = torchvision.models.get_model_weights(known)
    best = [choices.DEFAULT, *reversed(list(choices))]
    return next((file for one in best if (file := _cached_file(one.url)).is_file()), None)


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read named tensors from a ``.safetensors``, ``.pth`` or ``.pt`` file, or from a run folder.

    Raises
    ------
    WeightsError
        If there is no such file, it is damaged, or it holds more than numbers (which could run code).
    """
    file = file / "weights.safetensors" if file.is_dir() else file
    if not file.is_file():
        raise WeightsError(
            f"There is no weights file '{file}'. Give a .safetensors or .pth file, or choose 'imagenet' or 'none'."
        )
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (OSError, SafetensorError) as e:
            raise WeightsError(f"The weights file '{file}' is damaged: {e}. Copy or download it again.") from e
    return _read_pth(file)


def load_into(network: CellNetwork, tensors: Mapping[str, Tensor], source: str) -> float:
    """Copy the tensors that fit into a network's backbone; return the share of its parameters that they gave.

    Raises
    ------
    WeightsError
        If less than half of the parameters fit: the weights are another network's.
    """
    stem = first_conv(network.backbone)[0] + ".weight"
    own = network.backbone.state_dict()
    given = {_plain(name): tensor for name, tensor in tensors.items()}
    if stem in given and given[stem].shape[1:] != own[stem].shape[1:] and given[stem].ndim == own[stem].ndim:
        given[stem] = adapt_filters(given[stem], own[stem].shape[1])
    fitting = {name: given[name] for name in own if name in given and given[name].shape == own[name].shape}
    share = float(sum(t.numel() for t in fitting.values()) / sum(t.numel() for t in own.values()))
    if share < LEAST_SHARE:
        raise WeightsError(
            f"The weights in '{source}' fit {share:.0%} of this network: they are another network's. "
            "Choose the network they were made for, or other weights."
        )
    network.backbone.load_state_dict(fitting, strict=False)
    return share


def _imagenet(
    network: CellNetwork, name: str, should_stop: Callable[[], bool]
) -> Generator[Note | BatchDone, None, str]:
    if (known := pretrained_as(name)) is None:
        yield Note(f"There are no ImageNet weights for {name}, so it starts from scratch.")
        return FROM_SCRATCH
    choice = torchvision.models.get_model_weights(known).DEFAULT
    file = weights_at_hand(name)
    try:
        if file is None:
            file = _cached_file(choice.url)
            yield from download(choice.url, file, f"downloading {name}", should_stop)
        load_into(network, _read_pth(file), str(file))
    except (DownloadError, WeightsError) as e:
        yield Note(f"ImageNet weights for {name} can't be had ({e}), so it starts from scratch.")
        return FROM_SCRATCH
    yield Note(f"{name} starts from ImageNet weights ({file.name}).")
    return f"ImageNet ({file.name})"


def _cached_file(url: str) -> Path:
    """Return where torch.hub keeps a file, so that weights that other programs fetched are found."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def _read_pth(file: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as e:  # torch.load raises half a dozen kinds, for damage as for forbidden content
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise WeightsError(
            f"The weights file '{file}' is damaged, or holds more than numbers, which could run code: {reason} "
            "Save it as .safetensors, or choose another."
        ) from e
    while isinstance(content, dict) and (wrapper := next((w for w in WRAPPERS if w in content), None)):
        content = content[wrapper]
    if not isinstance(content, dict) or not any(isinstance(t, Tensor) for t in content.values()):
        raise WeightsError(f"The weights file '{file}' holds no named tensors. Save the network's state_dict.")
    return {str(name): t for name, t in content.items() if isinstance(t, Tensor)}


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name
