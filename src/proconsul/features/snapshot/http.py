"""/v1/snapshot (HTTP API: snapshot)."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import BinaryIO

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.features.snapshot.model import SnapshotOp, SnapshotRequest, SnapshotService
from proconsul.features.web import Web

# An upload is in memory while it is unpacked; states of a gigabyte pack to less than this.
ARCHIVE_BYTES_MAX = 256 << 20
# Go's HTTP server tells the length of answers up to this size and sends larger ones in chunks.
_COUNTED_BYTES = 2048
_PIECE_BYTES = 256 << 10


class SnapshotRoutes:
    """GET saves, PUT restores."""

    def __init__(self, web: Web, service: SnapshotService) -> None:
        self.web = web
        self._service = service

    def register(self, router: Router) -> None:
        router.add("/v1/snapshot", {"GET": self.save, "PUT": self.restore}, body_bytes_max=ARCHIVE_BYTES_MAX)

    def _arguments(self, request: Request, op: SnapshotOp) -> SnapshotRequest:
        """Of the options of reads only ``stale`` means something. Raises NoPathToDatacenter."""
        self.web.require_datacenter(request)
        return SnapshotRequest(self.web.datacenter, self.web.token(request), request.has("stale"), op)

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
        await self._service.restore(args, io.BytesIO(request.body))
        return self.web.empty()


async def _pieces(archive: BinaryIO) -> AsyncIterator[bytes]:
    with archive:
        while data := await asyncio.to_thread(archive.read, _PIECE_BYTES):
            yield data
