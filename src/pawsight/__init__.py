"""Cat, dog or neither: pawsight classifies photographs.

>>> import pawsight
>>> model = pawsight.load()
>>> model.predict("photo.jpg").label
'cat'
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# From 1.29 on, ONNX Runtime keeps an id of the machine on the disk and tells Microsoft what is run,
# unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# torch's threads wait for each other at every operation, by turning round and round; where one of
# them has lost its core to another process, the rest turn in vain, for as long as this says.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

if TYPE_CHECKING:
    __version__: str
    from pawsight.inference.catalog import load
    from pawsight.inference.classifier import Classifier
    from pawsight.inference.model import Model
    from pawsight.inference.prediction import Prediction

__all__ = ["Classifier", "Model", "Prediction", "load"]

_HOMES = {
    "Classifier": "pawsight.inference.classifier",
    "Model": "pawsight.inference.model",
    "Prediction": "pawsight.inference.prediction",
    "load": "pawsight.inference.catalog",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: ``import pawsight`` costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pawsight")
    if name not in _HOMES:
        raise AttributeError(f"module 'pawsight' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
