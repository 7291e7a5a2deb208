"""Pixels → tensor: the one preprocessing of training's validation, of evaluation and of serving."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from pawsight.images.decode import Pixels
from pawsight.images.resample import Box, resample

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

Side = Annotated[int, Field(ge=8, le=2048)]
Deviation = Annotated[float, Field(ge=1e-6)]


class Preprocessing(BaseModel):
    """How pixels become a network's input; stands in every model's card.

    Attributes:
        height: Rows of the input.
        width: Columns of the input.
        geometry: ``stretch`` resizes the picture to ``height / crop_fraction`` ×
            ``width / crop_fraction`` whatever its shape; ``crop`` resizes its shorter side to
            that and keeps its shape; both then take the centre.
        crop_fraction: The part of each side (``stretch``) or of the shorter one (``crop``) that is
            kept, in (0, 1].
        resample: The filter, antialiased as Pillow does it.
        mean: Per channel, of values scaled to [0, 1].
        std: Per channel, of values scaled to [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    height: Side = 256
    width: Side = 256
    geometry: Literal["stretch", "crop"] = "stretch"
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    resample: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[Deviation, Deviation, Deviation] = IMAGENET_STD

    @property
    def decode_size(self) -> tuple[int, int]:
        """The (height, width) that a decoder must not go below."""
        return (
            int(np.ceil(self.height / self.crop_fraction)),
            int(np.ceil(self.width / self.crop_fraction)),
        )


def preprocess(picture: Pixels | Image.Image, how: Preprocessing) -> NDArray[np.float32]:
    """Turn one picture into one network input.

    Args:
        picture: RGB uint8 [H, W, 3], or a Pillow image of mode ``RGB``.
        how: The parameters, from the model's card.

    Returns:
        float32 [3, height, width], normalised by mean and standard deviation.
    """
    return normalise(resize(picture, how), how)


def resize(picture: Pixels | Image.Image, how: Preprocessing) -> Pixels:
    """Resize what :func:`preprocess` takes to uint8 [height, width, 3]."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    box = seen_box(image.height, image.width, how)
    return resample(image, (how.width, how.height), _FILTERS[how.resample], box)


def seen_box(rows: int, columns: int, how: Preprocessing) -> Box:
    """Where the part of a picture of rows × columns lies that the network is shown.

    Returns:
        Left, top, right and bottom in pixels of the picture, not rounded.
    """
    if how.geometry == "stretch":
        half_h, half_w = how.crop_fraction * rows / 2, how.crop_fraction * columns / 2
    else:
        scale = how.crop_fraction * min(rows / how.height, columns / how.width)
        half_h, half_w = scale * how.height / 2, scale * how.width / 2
    return (
        max(0.0, columns / 2 - half_w),
        max(0.0, rows / 2 - half_h),
        min(float(columns), columns / 2 + half_w),
        min(float(rows), rows / 2 + half_h),
    )


def normalise(pixels: Pixels, how: Preprocessing) -> NDArray[np.float32]:
    """Scale uint8 [..., H, W, 3] to float32 [..., 3, H, W] with zero mean and unit deviation."""
    scale = (1.0 / (255.0 * np.asarray(how.std))).astype(np.float32)
    shift = (-np.asarray(how.mean) / np.asarray(how.std)).astype(np.float32)
    channels_first = np.moveaxis(pixels, -1, -3)
    tensor = np.empty(channels_first.shape, dtype=np.float32)
    np.multiply(channels_first, scale[:, None, None], out=tensor)
    tensor += shift[:, None, None]
    return tensor
