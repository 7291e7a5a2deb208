"""Traces by OpenTelemetry: where the extra ``otel`` is installed and ``OTEL_*`` asks for them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pawsight.serving.stages import STAGES, Stage

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_MODULES: Final = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.asgi",
)

log = logging.getLogger(__name__)


def wanted() -> bool:
    """Whether the standard variables of OpenTelemetry ask for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = os.environ.get("OTEL_TRACES_EXPORTER")
    if exporter is None:
        return any(os.environ.get(name) for name in _ENDPOINTS)
    return exporter != "none"


def trace(app: FastAPI) -> Callable[[], object]:
    """Have every request traced, if that is wanted; the exporter is OTLP over HTTP.

    A trace goes on that of the client (``traceparent``). Name, sampling and addresses are set by
    ``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER``, ``OTEL_EXPORTER_OTLP_ENDPOINT`` and so on.

    Returns:
        What sends the last of them; to be called at the end.
    """
    if not wanted():
        return _nothing
    if not all(_found(name) for name in _MODULES):
        log.warning("OTEL_* asks for traces, and the extra 'otel', which sends them, is missing")
        return _nothing
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "pawsight")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.add_middleware(_Named, tracer=provider.get_tracer("pawsight"))
    app.add_middleware(
        OpenTelemetryMiddleware,
        tracer_provider=provider,
        exclude_spans=["receive", "send"],
        excluded_urls="/health/.*,/metrics",
    )
    return provider.shutdown


class _Named:
    """ASGI middleware within the span: names it by the route, and adds one for each stage in it.

    Args:
        app: The application.
        tracer: That makes the stages' spans.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        from opentelemetry.trace import get_current_span

        span = get_current_span()
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["trace_id"] = f"{span.get_span_context().trace_id:032x}"
        stages: list[Stage] = []
        STAGES.set(stages if span.is_recording() else None)

        async def named(message: Message) -> None:
            # The span ends with the answer, so this is the last moment.
            if message["type"] == "http.response.start":
                if route := getattr(scope.get("route"), "path", None):
                    span.update_name(f"{scope['method']} {route}")
                    span.set_attribute("http.route", route)
                span.set_attribute("pawsight.request_id", state["request_id"])
                self._add(stages)
            await send(message)

        await self._app(scope, receive, named)

    def _add(self, stages: Sequence[Stage]) -> None:
        """A span for each stage; they are over."""
        epoch = time.time_ns() - round(time.perf_counter() * 1e9)
        for stage in stages:
            start, end = (epoch + round(each * 1e9) for each in (stage.start, stage.end))
            span = self._tracer.start_span(stage.name, start_time=start)
            if stage.network:
                span.set_attribute("pawsight.network", stage.network)
            span.end(end_time=end)


def _nothing() -> None:
    """No traces, nothing to send."""


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False
