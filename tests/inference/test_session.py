"""What runs networks: ONNX Runtime, and OpenVINO where it is installed."""

from __future__ import annotations

import importlib.util
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pawsight.inference.artifact import NETWORK_FILE, ModelFolder
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.inference.runtimes import chosen_providers, open_session
from pawsight.inference.session import CPU, OPENVINO, Session
from tests.drawn import draw

has_openvino = importlib.util.find_spec("openvino") is not None
with_openvino = pytest.mark.skipif(
    not has_openvino, reason="OpenVINO is not installed: it has no package for this processor"
)


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawsight.extras.find_spec", lambda _: None)


@with_openvino
def test_openvino_is_preferred_where_it_is_installed() -> None:
    assert chosen_providers() == (OPENVINO, CPU)
    assert chosen_providers("OpenVINO") == (OPENVINO,)


@pytest.mark.usefixtures("without_openvino")
def test_without_it_onnx_runtime_runs_networks() -> None:
    assert chosen_providers() == (CPU,)
    with pytest.raises(ModelError, match=r"pip install '\.\[openvino\]'"):
        chosen_providers("openvino")


def test_the_environment_chooses_for_all_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSIGHT_PROVIDER", "cpu")
    assert chosen_providers() == (CPU,)
    monkeypatch.setenv("PAWSIGHT_PROVIDER", "quantum")
    with pytest.raises(ModelError, match="no execution provider 'quantum'"):
        chosen_providers()


@with_openvino
@pytest.mark.parametrize(("threads", "lanes"), [(2, 1), (1, 2)])
def test_openvino_computes_what_onnx_runtime_does(trained: Path, threads: int, lanes: int) -> None:
    file = trained / NETWORK_FILE
    card = ModelFolder.open(trained).card
    shape = (3, card.preprocessing.height, card.preprocessing.width)
    numbers = np.random.default_rng(0)
    batches = [numbers.standard_normal((n, *shape), dtype=np.float32) for n in (1, 4, 0, 2, 1) * 5]
    batches[0].flags.writeable = False  # as what a client sent is
    wanted = open_session(file, CPU, 1)
    asked = open_session(file, OPENVINO, threads, lanes)
    assert set(asked.outputs) == set(wanted.outputs)
    names = ["logits", "features"]
    with ThreadPoolExecutor(4) as pool:  # requests of several threads do not mix
        answers = list(pool.map(lambda batch: asked.run(names, batch), batches))
    for batch, answer in zip(batches, answers, strict=True):
        for one, other in zip(answer, wanted.run(names, batch), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


@with_openvino
def test_what_was_kept_computes_side_by_side_as_well(trained: Path) -> None:
    """Lanes are made when several ask at once, of a network from the cache, too."""
    card = ModelFolder.open(trained).card
    shape = (1, 3, card.preprocessing.height, card.preprocessing.width)
    batch = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    for _ in range(2):  # the second is from the cache
        session = open_session(trained / NETWORK_FILE, OPENVINO, 1, 4)
        together = Barrier(4)

        def ask(session: Session, together: Barrier) -> float:
            together.wait()
            logits = [session.run(["logits"], batch)[0] for _ in range(20)]
            return float(np.ptp(np.stack(logits), axis=0).max())

        with ThreadPoolExecutor(4) as pool:
            spread = list(pool.map(ask, [session] * 4, [together] * 4))
        assert max(spread) == 0


@with_openvino
def test_where_openvino_computes_wrongly_onnx_runtime_takes_its_place(
    trained: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pawsight.inference.openvino_session import OpenVINOSession

    right = OpenVINOSession.run
    monkeypatch.setattr(OpenVINOSession, "run", lambda *asked: [3 * each for each in right(*asked)])
    folder = ModelFolder.open(trained)
    with caplog.at_level(logging.WARNING):
        model = Classifier(folder)
    assert model.provider == CPU
    assert "by OpenVINO and should be" in caplog.text
    assert model.predict(draw("cat", 1)).label == "cat"
    with pytest.raises(ModelError, match="does not answer as it was trained to"):
        Classifier(folder, provider="openvino")


@with_openvino
def test_a_compiled_network_is_kept_for_the_next_start_and_made_again_where_it_is_torn(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled = []

    class Counting(openvino.Core):  # type: ignore[misc]
        def compile_model(self, *asked: object) -> object:
            compiled.append(asked)
            return super().compile_model(*asked)

    monkeypatch.setattr("pawsight.inference.openvino_session._loaded", Counting)
    folder = ModelFolder.open(trained)
    answers = [Classifier(folder, provider="openvino").predict(draw("dog", 1)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(compiled) == 1
    [kept] = (tmp_path / "pawsight" / "openvino").iterdir()
    whole = kept.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], whole[:-1] + b"?"):
        kept.write_bytes(torn)
        assert Classifier(folder, provider="openvino").predict(draw("dog", 1)) == answers[0]
    assert len(compiled) == 4


@with_openvino
def test_where_nothing_can_be_kept_it_is_compiled_each_time(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    model = Classifier(ModelFolder.open(trained), provider="openvino")
    assert model.predict(draw("dog", 1)).label == "dog"


@with_openvino
def test_where_batches_are_computed_wrongly_pictures_are_asked_about_one_by_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The sum of one value a picture, as of the ImageNet classes that are a cat."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixel_values"], ["features"]),
            helper.make_node("Gather", ["features", "class"], ["one"], axis=1),
            helper.make_node("ReduceLogSumExp", ["one"], ["logits"], axes=[1], keepdims=1),
        ],
        "one",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, 2, 2])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 12]),
        ],
        [numpy_helper.from_array(np.array([5]), "class")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "model.onnx")
    session = open_session(tmp_path / "model.onnx", OPENVINO, 2)
    batch = np.random.default_rng(0).standard_normal((8, 3, 2, 2), dtype=np.float32)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            [logits] = session.run(["logits"], batch)
            np.testing.assert_allclose(logits[:, 0], batch.reshape(8, 12)[:, 5], atol=1e-5)
    assert caplog.text.count("one by one") <= 1  # none, once OpenVINO is mended


@with_openvino
@pytest.mark.parametrize("zero", [128, 0])
def test_what_products_give_is_not_rounded_unless_that_is_a_relu(tmp_path: Path, zero: int) -> None:
    initial = [
        numpy_helper.from_array(np.eye(12, dtype=np.float32), "weights"),
        numpy_helper.from_array(np.float32(1.0), "scale"),
        numpy_helper.from_array(np.uint8(zero), "zero"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixel_values"], ["features"]),
            helper.make_node("MatMul", ["features", "weights"], ["product"]),
            helper.make_node("QuantizeLinear", ["product", "scale", "zero"], ["rounded"]),
            helper.make_node("DequantizeLinear", ["rounded", "scale", "zero"], ["logits"]),
        ],
        "rounded",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, 2, 2])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 12]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 12]),
        ],
        initial,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "model.onnx")
    batch = 5 * np.random.default_rng(0).standard_normal((4, 3, 2, 2), dtype=np.float32)
    [logits] = open_session(tmp_path / "model.onnx", OPENVINO, 1).run(["logits"], batch)
    product = batch.reshape(4, 12)
    expected = product if zero else np.clip(np.rint(product), 0, 255)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
