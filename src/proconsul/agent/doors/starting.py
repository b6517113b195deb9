"""What the HTTP listeners answer while a start loads so much state that clients would wonder."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Route

STARTING = "The agent is starting: it loads its state and answers as soon as it has it"


class Starting:
    """Implements the HTTP engine's Application: every request is answered with 503 and the end of its connection."""

    logs_requests = False

    def __init__(self, route: Callable[[Request], Route | None]) -> None:
        # Kept by the engine for later requests, so it must be the real one.
        self._route = route

    def route(self, request: Request) -> Route | None:
        return self._route(request)

    def body_bytes_max(self, request: Request) -> int:
        return 0

    def handle(self, request: Request) -> Response:
        response = text_response(503, STARTING)
        response.headers["Retry-After"] = "1"
        response.close = True
        return response

    def log(self, request: Request, status: int, seconds: float) -> None:
        """Nothing of interest."""
