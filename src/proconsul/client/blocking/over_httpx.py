# Made by scripts/make_blocking_client.py of ../aio/over_httpx.py: change that one.
"""The client's calls over httpx, for programs that have it set up as they need: proxies, mounts, hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proconsul.client.blocking import kit
from proconsul.client.errors import BadAnswer, CallTimeout, Unavailable
from proconsul.client.transport import PIECE_BYTES, Endpoint, Upload
from proconsul.client.wire import USER_AGENT, Answer, Call, Deadline

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpxTransport"]


class HttpxTransport:
    """``Client(transport=lambda endpoint: HttpxTransport(endpoint, session))``.

    ``session``: what httpx sends with, closed by whoever has made it; without one, one is made of the client's
    settings, and closed with the client. An agent on a unix socket needs a session with a transport that leads there.
    A thread that waits inside httpx cannot be woken: a watch there ends with its question, and a lock's look at its key
    may go on for some seconds beside the caller.
    """

    closed: bool

    def __init__(self, endpoint: Endpoint, session: httpx.Client | None = None) -> None:
        import httpx

        self._endpoint, self._own = endpoint, session is None
        secure = any(one.scheme == "https" for one in endpoint.places)
        self._session = session or httpx.Client(
            verify=endpoint.tls_context() if secure else True, follow_redirects=False, trust_env=False
        )  # fmt: skip
        self.closed = False

    def _request(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None) -> httpx.Request:
        where = self._endpoint.places[place]
        header = {"User-Agent": USER_AGENT, **self._endpoint.header, **call.header}
        if token:
            header["X-Consul-Token"] = token
        left_s = deadline.at - kit.now()
        if left_s <= 0:
            raise CallTimeout(f"no answer within {deadline.total_s:g} s")
        host = "localhost" if where.unix_path else where.host
        content: Any = call.body if body is None else _parts(body)
        return self._session.build_request(
            call.method, f"{where.scheme}://{host}{call.target}", headers=header, content=content, timeout=left_s
        )  # fmt: skip

    def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """See `kit.Transport`."""
        if self.closed:
            raise Unavailable("the client is closed")
        with _translated(deadline), kit.deaf():
            answer = self._session.send(self._request(place, call, token, deadline, body))
            return Answer(answer.status_code, _small(answer), answer.content)

    def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> kit.Stream:
        """See `kit.Transport`."""
        with _translated(deadline):
            answer = self._session.send(self._request(place, call, token, deadline, None), stream=True)
        return _AsyncStream(answer, deadline)

    def close(self) -> None:
        """See `kit.Transport`."""
        self.closed = True
        if self._own:
            self._session.close()


class _AsyncStream:
    """The body of an answer while it comes."""

    def __init__(self, answer: httpx.Response, deadline: Deadline) -> None:
        self._answer, self._deadline = answer, deadline
        self.head = answer.status_code, _small(answer)

    def pieces(self) -> Iterator[bytes]:
        """See `kit.Stream`."""
        with _translated(self._deadline):
            try:
                yield from self._answer.iter_bytes()
            finally:
                self._answer.close()

    def close(self) -> None:
        """Nothing: the iteration's end gives the rest up."""


def _parts(body: Upload) -> Iterator[bytes]:
    while piece := body.read(PIECE_BYTES):
        yield piece


def _small(answer: httpx.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in answer.headers.multi_items():
        headers.setdefault(name.lower(), value)
    return headers


@contextlib.contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """httpx's errors as ours."""
    import httpx

    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from None
    except httpx.TimeoutException:
        raise CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True) from None
    except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
        if "disconnected" in str(error) or "closed connection" in str(error):
            raise Unavailable(f"the answer broke off: {error}", sent=True) from None
        raise BadAnswer(f"the answer is no HTTP: {error}") from None
    except httpx.HTTPError as error:
        raise Unavailable(f"{type(error).__name__}: {error}", sent=True) from None
