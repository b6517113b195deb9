"""/v1/snapshot (HTTP API: snapshot)."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.engine.http.upload import UploadError
from proconsul.engine.threads import on_thread
from proconsul.features.errors import ConsulError
from proconsul.features.snapshot.model import SnapshotOp, SnapshotRequest, SnapshotService
from proconsul.features.web import Web

# Go's HTTP server tells the length of answers up to this size and sends larger ones in chunks.
_COUNTED_BYTES = 2048
_PIECE_BYTES = 256 << 10


class SnapshotRoutes:
    """GET saves, PUT restores."""

    def __init__(self, web: Web, service: SnapshotService) -> None:
        self.web = web
        self._service = service

    def register(self, router: Router) -> None:
        router.add("/v1/snapshot", {"GET": self.save, "PUT": self.restore}, streams=True)

    def _arguments(self, request: Request, op: SnapshotOp) -> SnapshotRequest:
        """Of the options of reads only ``stale`` means something."""
        return SnapshotRequest(self.web.datacenter_of(request), self.web.token(request), request.has("stale"), op)

    async def save(self, request: Request) -> Response:
        saved = await self._service.save(self._arguments(request, SnapshotOp.SAVE))
        headers = {
            "Content-Type": "application/x-gzip", "Vary": "Accept-Encoding",
            "X-Consul-Index": str(saved.response.Index),
            "X-Consul-Knownleader": str(saved.response.KnownLeader).lower(),
            "X-Consul-Lastcontact": str(saved.response.LastContact // 1_000_000),
        }  # fmt: skip
        if saved.archive_bytes <= _COUNTED_BYTES:
            with saved.archive:
                return Response(200, saved.archive.read(), headers)
        return Response(200, headers=headers, stream=_pieces(saved.archive))

    async def restore(self, request: Request) -> Response:
        args = self._arguments(request, SnapshotOp.RESTORE)
        self.web.gate.elsewhere(args.Datacenter)  # what leads nowhere need not be sent
        with tempfile.TemporaryFile() as archive:
            try:
                await _receive(request, archive)
            except (OSError, UploadError) as error:
                raise ConsulError(f"failed to read snapshot: {error}") from None
            await self._service.restore(args, archive)
        return self.web.empty()


async def _receive(request: Request, archive: BinaryIO) -> None:
    """The body into a file, which is then at its begin: archives may be larger than memory. Raises OSError and
    UploadError."""
    async for part in request.parts():
        await on_thread(archive.write, part)
    await on_thread(archive.seek, 0)


async def _pieces(archive: BinaryIO) -> AsyncIterator[bytes]:
    with archive:
        while data := await on_thread(archive.read, _PIECE_BYTES):
            yield data
