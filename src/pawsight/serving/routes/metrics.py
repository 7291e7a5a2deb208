"""``GET /metrics``, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pawsight.serving.errors import Refusal
from pawsight.serving.routes.dependencies import Service

router = APIRouter()


@router.get(
    "/metrics",
    tags=["health"],
    summary="Counts and times, for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(service: Service) -> Response:
    """In Prometheus' text format."""
    if service.settings.metrics == "off":
        raise Refusal("not-found", "metrics are off here: PAWSIGHT_METRICS")
    return Response(generate_latest(service.meter.registry), media_type=CONTENT_TYPE_LATEST)
