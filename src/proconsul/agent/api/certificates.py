"""/v1/agent/metrics/certificates: when certificates of this agent expire (Consul docs: api-docs/agent/metrics, 2.0).

Of the files that it is configured with; where nobody renews them, somebody has to be told in time.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from proconsul.agent.config.runtime import ReloadableConfig, TlsConfig
from proconsul.agent.part import Part
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.engine.threads import on_thread
from proconsul.engine.wire import gojson
from proconsul.features.web import Web

CRITICAL_DAYS: Final = 7
WARNING_DAYS: Final = 30
KEPT_S: Final = 300.0
DAY_S: Final = 86_400
# Folders of authorities hold a few hundred of them.
FILES_MAX: Final = 1000
FILE_BYTES_MAX: Final = 4 << 20


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Severity(NamedTuple):
    severity: str
    score: int
    color: str


CRITICAL: Final = Severity("CRITICAL", 90, "red")
WARNING: Final = Severity("WARNING", 50, "yellow")
INFO: Final = Severity("INFO", 10, "green")


def severity_of(seconds: float) -> Severity:
    """How urgent it is that something expires in ``seconds``."""
    if seconds < CRITICAL_DAYS * DAY_S:
        return CRITICAL
    return WARNING if seconds < WARNING_DAYS * DAY_S else INFO


class _File(NamedTuple):
    """A file of certificates: what it is for, and by which listeners it is used."""

    path: Path
    kind: str  # agent or ca
    uses: str


def files_of(tls: TlsConfig) -> list[_File]:
    """The files of all listeners, each once. Folders are read."""
    uses: dict[tuple[str, str], list[str]] = {}
    for name, listener in (("internal_rpc", tls.internal_rpc), ("https", tls.https)):  # nobody serves gRPC
        for kind, path in (("agent", listener.cert_file), ("ca", listener.ca_file)):
            if path:
                uses.setdefault((kind, path), []).append(name)
        for path in _inside(listener.ca_path) if listener.ca_path else ():
            uses.setdefault(("ca", path), []).append(name)
    return [_File(Path(path), kind, ",".join(names)) for (kind, path), names in uses.items()][:FILES_MAX]


def _inside(folder: str) -> list[str]:
    try:
        return sorted(str(entry) for entry in Path(folder).iterdir() if entry.is_file())
    except OSError:
        return [folder]


class CertificateRoutes(Part):
    """The handler of the route. An answer is kept for five minutes, or until a reload."""

    def __init__(
        self, web: Web, node_name: str, config: ReloadableConfig, *, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._web, self._node_name, self._tls, self._clock = web, node_name, config.tls, clock
        self._kept: tuple[float, gojson.Object] | None = None

    def register(self, router: Router) -> None:
        router.add("/v1/agent/metrics/certificates", {"GET": self.certificates})

    def reloaded(self, config: ReloadableConfig) -> None:
        self._tls, self._kept = config.tls, None

    async def certificates(self, request: Request) -> Response:
        now, kept = self._clock(), self._kept
        cached = kept is not None and now < kept[0]
        if kept is None or not cached:
            found = await certificates_now(self._tls, self._node_name, now)
            kept = self._kept = now + KEPT_S, _summarised(found)
        shown = gojson.Object(kept[1], cached=cached, cache_expires_at=rfc3339(int(kept[0])))
        return self._web.json(request, shown)


async def certificates_now(tls: TlsConfig, node_name: str, now: float) -> list[gojson.Object]:
    """What the files of all listeners hold, read on a thread."""
    return await on_thread(lambda: list(described(files_of(tls), node_name, now)))


def described(files: list[_File], node_name: str, now: float) -> Iterator[gojson.Object]:
    """Every certificate in ``files``; a file that cannot be read is one that has failed."""
    for file in files:
        try:
            with file.path.open("rb") as opened:
                found = [
                    # Behind an agent's own certificate come the authorities between it and the root.
                    _described(file, "ca" if number and file.kind == "agent" else file.kind, one, node_name, now)
                    for number, one in enumerate(_read(opened.read(FILE_BYTES_MAX)))
                ]
        except Exception as error:  # the parser has errors of several kinds, and some come late
            found = [_failed(file, node_name, now, str(error) or type(error).__name__)]
        yield from found


def _read(data: bytes) -> list[Any]:
    """Raises ValueError for what holds no certificate, and errors of the parser's own for odd ones."""
    from cryptography import x509

    return x509.load_pem_x509_certificates(data)


def _described(file: _File, kind: str, certificate: Any, node_name: str, now: float) -> gojson.Object:
    from cryptography.hazmat.primitives.serialization import Encoding

    fingerprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    expires = int(certificate.not_valid_after_utc.timestamp())
    left = expires - now
    severity = severity_of(left)
    subject = certificate.subject.rfc4514_string()
    return gojson.Object(
        id=f"{kind}-{fingerprint[:16]}", name=subject or file.path.name, type=kind, subtype=file.uses,
        subject=subject, issuer=certificate.issuer.rfc4514_string(), not_after=rfc3339(expires),
        days_remaining=int(left // DAY_S), seconds_remaining=int(left), severity=severity.severity,
        severity_score=severity.score, color=severity.color, auto_renewable=False, requires_manual_rotation=True,
        path=str(file.path), node_name=node_name,
    )  # fmt: skip


def _failed(file: _File, node_name: str, now: float, why: str) -> gojson.Object:
    failure = gojson.Object(
        failure_reason=why, failure_count=1, last_attempt=rfc3339(int(now)), consecutive_rate_limits=0
    )
    return gojson.Object(
        id=f"{file.kind}-{hashlib.sha256(str(file.path).encode('utf-8', 'surrogateescape')).hexdigest()[:16]}",
        name=file.path.name, type=file.kind, subtype=file.uses, days_remaining=0, seconds_remaining=0,
        severity=CRITICAL.severity, severity_score=CRITICAL.score, color=CRITICAL.color, auto_renewable=False,
        requires_manual_rotation=True, path=str(file.path), node_name=node_name, renewal_failure=failure,
    )  # fmt: skip


def _summarised(found: list[gojson.Object]) -> gojson.Object:
    failed = [one for one in found if "renewal_failure" in one]
    reasons = Counter(one["renewal_failure"]["failure_reason"] for one in failed)
    severities = Counter(one["severity"] for one in found)
    return gojson.Object(
        certificates=sorted(found, key=lambda one: one["seconds_remaining"]),
        summary=gojson.Object(
            total=len(found), by_severity={one.severity: severities[one.severity] for one in (CRITICAL, WARNING, INFO)},
            by_type=dict(Counter(one["type"] for one in found)), total_with_failures=len(failed),
            expiring_soon_with_failures=len(failed), failures_by_reason=dict(reasons),
        ),
        thresholds=gojson.Object(critical_days=CRITICAL_DAYS, warning_days=WARNING_DAYS),
    )  # fmt: skip
