"""HTTP check: 2xx is passing, 429 warning, anything else critical.

Source: docs/agent/checks, "HTTP + Interval".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.output import TailBuffer
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.http.fetch import HttpClientError, HttpRequest, fetch
from proconsul.engine.http.fields import canonical

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpProbe", "http_status"]

_DEFAULTS: Final = {"user-agent": "Consul Health Check", "accept": "text/plain, text/*, */*"}


def http_status(code: int) -> CheckStatus:
    """The status an HTTP status code stands for."""
    if 200 <= code <= 299:
        return CheckStatus.PASSING
    return CheckStatus.WARNING if code == 429 else CheckStatus.CRITICAL


class HttpProbe:
    def __init__(
        self,
        url: str,
        timeout_s: float,
        output_bytes_max: int,
        *,
        method: str = "",
        header: Mapping[str, Sequence[str]] | None = None,
        body: str = "",
        follow_redirects: bool = True,
        context: Callable[[], ssl.SSLContext] | None = None,
        server_name: str = "",
    ) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.output_bytes_max = output_bytes_max
        self.method = method or "GET"
        # What says nothing is as what is not there.
        full = {
            name: values for name, values in (header or {}).items()
            if name.lower() not in _DEFAULTS or (values and values[0])
        }  # fmt: skip
        names = {name.lower() for name in full}
        full |= {canonical(name): (value,) for name, value in _DEFAULTS.items() if name not in names}
        self.request = HttpRequest(
            url=url,
            method=self.method,
            header=full,
            body=body.encode(),
            follow_redirects=follow_redirects,
            context=context,
            server_name=server_name,
        )

    async def run(self) -> ProbeResult:
        tail = TailBuffer(self.output_bytes_max)
        try:
            response = await fetch(self.request, tail.write, self.timeout_s)
        except HttpClientError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error))
        text = f"HTTP {self.method} {self.url}: {response.status_text} Output: {tail.text}"
        return ProbeResult(http_status(response.status), text)
