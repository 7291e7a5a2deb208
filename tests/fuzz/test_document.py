"""The OpenAPI document, held against the service by schemathesis; and JSON by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.errors import Refusal
from pawsight.serving.routes.protocol_tensors import unpack
from pawsight.serving.settings import Settings
from tests.model_folders import make_model_folder
from tests.running import running

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What the service says of itself."""
    folder = make_model_folder(tmp_path_factory.mktemp("models") / "tiny")
    with running(create_app(Settings(serve_models=(str(folder),)))) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_what_the_document_allows_is_answered_as_it_says(document: Any) -> None:
    """Every operation, with values that its schemas allow and values that they do not."""
    asked = set()
    for found in document.get_all_operations():
        operation = found.ok()
        cases = operation.as_strategy()
        if operation.body:
            cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @given(case=cases)
        @settings(
            max_examples=8,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=_CHECKS)

        ask()
        asked.add(operation.label)
    assert {"POST /predict/{model}", "POST /v2/models/{model}/infer", "GET /metrics"} <= asked


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
_TENSOR = st.fixed_dictionaries(
    {"name": st.sampled_from(("image", "pixel_values")), "shape": st.lists(st.integers(0, 9))},
    optional={
        "datatype": st.sampled_from(("BYTES", "FP32")),
        "data": st.lists(_VALUES, max_size=4),
        "parameters": st.dictionaries(st.just("binary_data_size"), st.integers(-9, 99)),
    },
)
_REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(_TENSOR | _VALUES, max_size=2)}, optional={"outputs": _VALUES}
)


@given(document=_REQUEST, rest=st.binary(max_size=40))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_any_tensors_are_read_or_refused(document: dict[str, Any], rest: bytes) -> None:
    text = json.dumps(document).encode()
    refused: Refusal | None = None
    try:
        _, sent = unpack(text + rest, str(len(text)))
        for each in sent:
            if each.tensor.name == "image":
                assert all(isinstance(file, bytes) for file in each.pictures())
            else:
                assert each.pixels(2, 2).shape[1:] == (3, 2, 2)
    except Refusal as error:
        refused = error
    assert refused is None or refused.problem.code == "invalid-request"


@given(body=st.binary(max_size=200) | _VALUES.map(str).map(str.encode))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_body_is_answered_with_a_problem(api: TestClient, body: bytes) -> None:
    for path in ("/models/tiny", "/v2/models/tiny/infer", "/predict/tiny"):
        for kind in ("application/json", "image/png", "multipart/form-data; boundary=x"):
            answer = api.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 413, 415, 422)
            assert answer.json()["status"] == answer.status_code


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service in this process."""
    folder = make_model_folder(tmp_path_factory.mktemp("models") / "tiny")
    with TestClient(create_app(Settings(serve_models=(str(folder),)))) as client:
        yield client
