"""Request ids, the access log, metrics and traces."""

from __future__ import annotations

import json
import logging
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.pictures import picture, truncated_jpeg
from tests.running import running

ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def fresh(settings: Settings) -> Iterator[TestClient]:
    """A service that was asked nothing yet."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def samples(client: TestClient) -> dict[str, float]:
    """Of the metrics: ``name{a=b}`` and its value."""
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_an_answer_has_the_clients_id_if_it_is_one(client: TestClient) -> None:
    answer = client.get("/models", headers={"X-Request-ID": "order-7.b"})
    assert answer.headers.get_list("x-request-id") == ["order-7.b"]
    for other in ("", "a b", "<script>", "x" * 65, "é".encode("latin-1")):
        headers: dict[str, str | bytes] = {"X-Request-ID": other}
        answer = client.get("/models", headers=headers)  # type: ignore[arg-type]
        assert ID.fullmatch(answer.headers["x-request-id"])
    first, second = (client.get("/models").headers["x-request-id"] for _ in range(2))
    assert first != second


def test_a_problem_says_its_id(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise OSError("secret")

    with TestClient(app, raise_server_exceptions=False) as client:
        for path in ("/models/dog", "/nothing", "/broken"):
            answer = client.get(path, headers={"X-Request-ID": "seven"})
            assert answer.json()["request_id"] == "seven"
            assert answer.headers["x-request-id"] == "seven"
        files = [("files", picture("red")), ("files", truncated_jpeg())]
        records = client.post("/predict/tiny/batch", files=files).json()["records"]
        assert "request_id" not in records[1]["problem"]


def test_metrics_count_what_happens(fresh: TestClient) -> None:
    for colour in ("red", "blue", "black"):
        fresh.post("/predict/tiny", content=picture(colour))
    fresh.post("/predict/tiny", content=truncated_jpeg())
    fresh.get("/models/dog")
    fresh.get("/a/client's/own/address")
    found = samples(fresh)

    def requests(route: str, method: str, status: int) -> float:
        labels = sorted({"route": route, "method": method, "status": str(status)}.items())
        return found.get(f"pawsight_requests_total{labels}", 0)

    assert requests("/predict/{model}", "POST", 200) == 3
    assert requests("/predict/{model}", "POST", 422) == 1
    assert requests("/models/{model}", "GET", 404) == 1
    assert requests("none", "GET", 404) == 1
    for label in ("cat", "dog", "neither"):
        labels = sorted({"model": "tiny", "decided_by": "tiny", "label": label}.items())
        assert found[f"pawsight_answers_total{labels}"] == 1
    assert found["pawsight_problems_total[('code', 'truncated')]"] == 1
    assert found["pawsight_problems_total[('code', 'unknown-model')]"] == 1
    # Two pictures more: each network has answered one before the service was ready.
    assert found["pawsight_stage_seconds_count[('stage', 'infer')]"] == 3 + 2
    assert found["pawsight_stage_seconds_count[('stage', 'decode')]"] == 4 + 2
    assert found["pawsight_stage_seconds_count[('stage', 'wait')]"] == 7 + 4
    assert found["pawsight_batch_pictures_sum[('network', 'tiny')]"] == 3 + 1
    assert found["pawsight_waiting_pictures[]"] == 0
    assert "client's" not in fresh.get("/metrics").text


def test_the_access_log_is_told_of_each_request(
    fresh: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="pawsight.access"):
        fresh.get("/models/a%0Ab?x=%0d", headers={"X-Request-ID": "seven"})
        fresh.post("/predict/tiny", content=picture("red"))
    first, second = (each for each in caplog.records if each.name == "pawsight.access")
    assert first.getMessage() == "GET /models/a%0Ab"
    said = vars(first)
    assert (said["request_id"], said["status"], said["route"]) == ("seven", 404, "/models/{model}")
    assert vars(second)["milliseconds"] > 0


def test_a_process_writes_json_lines(tiny: Path) -> None:
    code = (
        "from pawsight.serving.server import serve; from pawsight.serving.settings import Settings;"
        f"serve(Settings(port=0, serve_models=({str(tiny)!r},), log_format='json',"
        " drain_seconds=0))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        try:
            url = None
            for line in process.stdout:
                found = re.search(r"http://127\.0\.0\.1:\d+", json.loads(line)["message"])
                if found:
                    url = found[0]
                    break
            assert url
            headers = {"X-Request-ID": "seven"}
            httpx.get(f"{url}/models/dog", headers=headers, timeout=60)
            said = json.loads(process.stdout.readline())
            assert said["message"] == "GET /models/dog"
            assert (said["status"], said["request_id"]) == (404, "seven")
            assert said["level"] == "INFO"
            assert said["client"] == "127.0.0.1"
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as garbage:
                garbage.sendall(b"\x16\x03\x01 hello\r\n\r\n")
                assert garbage.recv(100).startswith(b"HTTP/1.1 400")
            httpx.get(f"{url}/health/live", timeout=60)
            lines = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [each["status"] for each in lines] == [400, 200]  # one for each
            process.terminate()
            for line in process.stdout:
                assert json.loads(line)["logger"]
        finally:
            process.kill()


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """What takes traces by OTLP over HTTP: its address, and what it was sent."""
    sent: list[ExportTraceServiceRequest] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", sent
    server.shutdown()
    thread.join()
    server.server_close()


def test_traces_go_where_the_environment_says(
    settings: Settings,
    collector: tuple[str, list[ExportTraceServiceRequest]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, sent = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "cats")
    trace = "0af7651916cd43dd8448eb211c80319c"
    parent = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    with running(create_app(settings)) as server:
        answer = httpx.post(
            f"{server.url}/predict/tiny", content=picture("red"), headers=parent, timeout=60
        )
        httpx.get(f"{server.url}/health/live", timeout=60)
    resources = [each for request in sent for each in request.resource_spans]
    spans = [span for each in resources for scope in each.scope_spans for span in scope.spans]
    [span] = [each for each in spans if each.name == "POST /predict/{model}"]
    assert span.trace_id.hex() == trace
    said = {each.key: each.value.string_value for each in span.attributes}
    assert said["pawsight.request_id"] == answer.headers["x-request-id"]
    parts = [each for each in spans if each.parent_span_id == span.span_id]
    assert sorted(each.name for each in parts) == ["decode", "infer", "wait", "wait"]
    assert len(parts) == len(spans) - 1
    for part in parts:
        assert span.start_time_unix_nano <= part.start_time_unix_nano
        assert part.start_time_unix_nano <= part.end_time_unix_nano
    names = {each.key: each.value.string_value for each in resources[0].resource.attributes}
    assert names["service.name"] == "cats"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_without_being_asked_for_nothing_is_traced(
    settings: Settings, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    names = [str(each.cls) for each in create_app(settings).user_middleware]
    assert not any("OpenTelemetry" in name for name in names)


def test_where_the_extra_is_missing_it_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("pawsight.serving.tracing._MODULES", ("opentelemetry.nowhere.sdk",))
    with TestClient(create_app(settings)) as client:
        assert client.get("/health/live").status_code == 200
    assert "the extra 'otel'" in caplog.text
