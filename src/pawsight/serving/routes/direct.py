"""A route that FastAPI documents, and that is called without it where nothing needs validation."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class DirectRoute(APIRoute):
    """Calls its function at once for a request without a query.

    The function takes the request and, as text, what its address names; all else has a default and
    comes from the query. It returns the finished answer. What FastAPI's own way to it, which
    resolves and validates, takes is missing where pictures are answered (docs/performance.md).
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers; FastAPI's own where there is a query."""
        validated, function = super().get_route_handler(), self.endpoint

        async def answer(request: Request) -> Response:
            if request.scope["query_string"]:
                return await validated(request)
            response: Response = await function(request, **request.path_params)
            return response

        return answer
