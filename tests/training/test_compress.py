from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from pawsight.images.preprocess import Preprocessing
from pawsight.models.cnn_model import SimpleCNN
from pawsight.models.vision_transformer import VisionTransformer
from pawsight.training.compress import compress, round_weights
from pawsight.training.export import write_onnx


def network() -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(width=64, depth=2, heads=2, patch_size=8, position_size=32).eval()


def test_rounding_hardly_changes_the_answer_and_can_be_repeated() -> None:
    plain, rounded = network(), network()
    round_weights(rounded)
    weight = rounded.get_parameter("backbone.encoder.layer.0.mlp.fc1.weight")
    assert all(len(row.unique()) <= 255 for row in weight)
    pictures = torch.randn(4, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(rounded(pictures), plain(pictures), atol=0.02, rtol=0.02)
        once = rounded(pictures)
        round_weights(rounded)
        torch.testing.assert_close(rounded(pictures), once)


def test_the_file_is_smaller_and_answers_as_the_rounded_network(tmp_path: Path) -> None:
    rounded = network()
    round_weights(rounded)
    file = tmp_path / "model.onnx"
    write_onnx(rounded, Preprocessing(height=32, width=32), file)
    before = file.stat().st_size
    compress(file)
    matrices = 4 * 2 * (4 * 64 * 64 + 2 * 64 * 256)  # bytes of float32
    assert before - file.stat().st_size > 0.7 * matrices
    pictures = torch.randn(5, 3, 32, 32)
    logits = stored_logits(file, pictures)
    with torch.inference_mode():
        np.testing.assert_allclose(logits, rounded(pictures).numpy(), atol=1e-4)
    # Whatever else is in the batch.
    np.testing.assert_allclose(stored_logits(file, pictures[3:4])[0], logits[3], atol=1e-5)


def stored_logits(file: Path, pictures: torch.Tensor) -> NDArray[np.float32]:
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    logits: NDArray[np.float32] = session.run(["logits"], {"pixel_values": pictures.numpy()})[0]
    return logits


def test_convolutions_are_stored_so_too_after_batch_norm_was_folded_into_them(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    rounded = SimpleCNN(widths=(32, 64, 96), residuals=(1, 1, 1), stem_width=16)
    for module in rounded.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training
            torch.nn.init.uniform_(module.weight, 0.2, 2.0)
            torch.nn.init.normal_(module.bias)
    rounded.eval()
    round_weights(rounded)
    file = tmp_path / "model.onnx"
    write_onnx(rounded, Preprocessing(height=64, width=64), file)
    before = file.stat().st_size
    compress(file)
    assert file.stat().st_size < 0.3 * before
    pictures = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        expected = rounded(pictures).numpy()
    np.testing.assert_allclose(stored_logits(file, pictures), expected, atol=1e-4)
