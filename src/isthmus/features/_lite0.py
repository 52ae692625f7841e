"""EfficientNet-Lite0 in plain torch: small, fast on processors, and without torchvision, which timm cannot do without.

The picture features of the data sets in this package are its average-pooled last feature map. Batch norms are folded into
the convolutions that they follow, and padding is TensorFlow's "same", since the weights come from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from isthmus._errors import DataError
from isthmus.features._extra import needed
from isthmus.features._look import Look

LOOK = Look(size=224, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, fit="pad")

_STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))  # repeats, kernel, first stride
_EPSILON = 1e-3  # of the batch norms


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A convolution with its batch norm, and ReLU6 unless it is a projection."""

    weight: Any
    bias: Any
    stride: int = 1
    clipped: bool = True

    def __call__(self, x: Any) -> Any:
        functional = needed("torch.nn.functional")
        side = self.weight.shape[-1]
        missing = [max((-(-n // self.stride) - 1) * self.stride + side - n, 0) for n in (x.shape[-1], x.shape[-2])]
        if any(missing):
            x = functional.pad(x, [part for each in missing for part in (each // 2, each - each // 2)])
        groups = 1 if self.weight.shape[1] > 1 else len(self.weight)
        y = functional.conv2d(x, self.weight, self.bias, stride=self.stride, groups=groups)
        return functional.relu6(y) if self.clipped else y


def efficientnet_lite0(weights: Mapping[str, Any], device: str = "cpu") -> Callable[[Any], Any]:
    """The network as a function from scaled pictures (n x 3 x 224 x 224) to features (n x 1280).

    Tan, Le (2019), "EfficientNet", without squeeze-and-excitation and with ReLU6, as TensorFlow's lite models.

    Args:
        weights: tensors by the names that the files of efficientnet_pytorch give them.
        device: torch's name of it.

    Raises:
        DataError: weights of another network.
    """
    torch: Any = needed("torch")

    def convolution(name: str, norm: str, stride: int = 1, *, clipped: bool = True) -> _Convolution:
        kernel, scale, shift, mean, variance = (
            weights[key].to(device).double()
            for key in (f"{name}.weight", *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")))
        )
        scale = scale / (variance + _EPSILON).sqrt()
        folded = (kernel * scale[:, None, None, None]).float().contiguous(memory_format=torch.channels_last)
        return _Convolution(folded, (shift - mean * scale).float(), stride, clipped)

    try:
        stem, head = convolution("_conv_stem", "_bn0", 2), convolution("_conv_head", "_bn1")
        blocks = []
        number = count()
        for repeats, side, first in _STAGES:
            for turn in range(repeats):
                at = f"_blocks.{next(number)}."
                steps = [convolution(f"{at}_expand_conv", f"{at}_bn0")] if f"{at}_expand_conv.weight" in weights else []
                steps.append(convolution(f"{at}_depthwise_conv", f"{at}_bn1", first if turn == 0 else 1))
                steps.append(convolution(f"{at}_project_conv", f"{at}_bn2", clipped=False))
                if steps[-2].weight.shape[-1] != side:
                    raise KeyError(at)
                blocks.append((steps, turn > 0))
    except (KeyError, AttributeError, RuntimeError) as error:
        raise DataError(
            f"weights: needed those of EfficientNet-Lite0 as efficientnet_pytorch names them, got others ({error}). "
            "Name the backbone that they belong to."
        ) from error

    def network(x: Any) -> Any:
        x = stem(x)
        for steps, residual in blocks:
            y = x
            for step in steps:
                y = step(y)
            x = x + y if residual else y
        return head(x).mean((2, 3))

    return network
