"""Logging in with a browser: the address to visit, and what listens for the browser that comes back."""

from __future__ import annotations

import http.server
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from proconsul.cli.acl_common import Row
from proconsul.cli.api import Client
from proconsul.cli.command import Failure, explain
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.wire.text import quoted

_PATH = "/oidc/callback"
# A person who has not come back by then has given up.
_WAIT_S = 300.0
_DONE = b"<!doctype html><title>Logged in</title><p>You are logged in. You can close this window.</p>"


class _Listener:
    """Waits for one browser that brings a code."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.came = threading.Event()
        self.query: dict[str, str] = {}
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(target.query).items()}
                known = target.path == _PATH and "state" in query and not listener.came.is_set()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(_DONE if known else b"")
                if known:
                    listener.query = query
                    listener.came.set()

            def log_message(self, format: str, *args: Any) -> None:
                """What the browser asks for holds the code."""

        family = socket.AF_INET6 if ":" in host.strip("[]") else socket.AF_INET
        server_type = type("Server", (http.server.ThreadingHTTPServer,), {"address_family": family})
        try:
            self._server = server_type((host.strip("[]"), int(port)), Handler)
        except (OSError, ValueError) as error:
            raise Failure(f"Error listening for the browser at {address}: {error}") from None
        self.redirect_uri = f"http://{host}:{self._server.server_address[1]}{_PATH}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _post(client: Client, path: str, body: dict[str, Json]) -> Row:
    data = gojson.dumps(body).encode("utf-8", "surrogateescape")
    # Whoever logs in has no token yet; one from the environment must not spoil it.
    return cast(Row, client.ok("POST", path, body=data, token="").json())


def log_in(
    client: Client, method: str, meta: dict[str, str], listen: str, show: Callable[[str], None],
    browse: Callable[[str], object],
) -> str:  # fmt: skip
    """The secret of a new token. ``show``: tells the person; ``browse``: opens a browser, if it can.

    Raises Failure, ApiError.
    """
    listener, nonce = _Listener(listen), secrets.token_urlsafe(16)
    try:
        body: dict[str, Json] = {
            "AuthMethod": method, "RedirectURI": listener.redirect_uri, "ClientNonce": nonce, "Meta": {**meta}
        }  # fmt: skip
        with explain("Error logging in: "):
            address = str(_post(client, "/v1/acl/oidc/auth-url", body)["AuthURL"])
        show(f"Complete the login with your OIDC provider. Launching browser to:\n\n    {address}\n")
        browse(address)
        if not listener.came.wait(_WAIT_S):
            raise Failure("Error logging in: nobody came back from the provider")
        found = listener.query
    finally:
        listener.close()
    if "error" in found:
        reason = found.get("error_description") or found["error"]
        raise Failure(f"Error logging in: the provider refused: {quoted(reason)}")
    body = {"AuthMethod": method, "State": found["state"], "Code": found.get("code", ""), "ClientNonce": nonce}
    with explain("Error logging in: "):
        return str(_post(client, "/v1/acl/oidc/callback", body)["SecretID"])
