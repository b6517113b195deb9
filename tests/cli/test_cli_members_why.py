"""``members -why``: proconsul's own answer to why a member has its status."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from proconsul.cli.main import main
from proconsul.client import gojson
from proconsul.client.gojson import Json

ANSWERS: dict[str, tuple[int, Json]] = {
    "n1": (200, {
        "Name": "n1", "Status": 4, "StatusLTime": 7, "ReapAt": 1700259200.5, "Conflict": None,
        "Evidence": [
            {"At": 1700000000.0, "What": "joined", "From": "n1"},
            {"At": 1700000000.25, "What": "suspected: no answer to a ping", "From": "n22"},
        ],
    }),
    "n2": (200, {
        "Name": "n2", "Status": 1, "Evidence": None, "ReapAt": None,
        "Conflict": {
            "At": 1700000001.0, "Existing": "10.0.0.1:8301", "Other": "10.0.0.2:8301", "Resolution": "stop one",
        },
    }),
    "n3": (200, [{"Name": "n3", "Status": 1}]),
    "n4": (404, "no member of that name: n4"),
}  # fmt: skip
TEXTS = {
    "n1": (
        "n1 is failed\n\n"
        "When                      What                            From\n"
        "2023-11-14T22:13:20.000Z  joined                          n1\n"
        "2023-11-14T22:13:20.250Z  suspected: no answer to a ping  n22\n\n"
        "It will be forgotten at 2023-11-17T22:13:20.500Z unless it comes back.\n"
    ),
    "n2": (
        "n2 is alive\n\nNothing was heard about it.\n\n"
        "Its name is claimed twice, last at 2023-11-14T22:13:21.000Z: by 10.0.0.1:8301, which has it, and by "
        "10.0.0.2:8301.\nWhat to do: stop one.\n"
    ),
    "n3": "This agent does not answer -why; proconsul agents do\n",
    "n4": "Error retrieving members: Unexpected response code: 404 (no member of that name: n4)\n",
}


class Agent(BaseHTTPRequestHandler):
    """Answers /v1/agent/members?why= from a table."""

    def do_GET(self) -> None:
        status, value = ANSWERS[self.path.rpartition("why=")[2]]
        body = value.encode() if isinstance(value, str) else gojson.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quietly."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Agent)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_why(address: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["members", f"-http-addr={address}", "-why", name])
    printed = capsys.readouterr()
    assert printed.out + printed.err == TEXTS[name]
    assert code == (1 if name in ("n3", "n4") else 0)
