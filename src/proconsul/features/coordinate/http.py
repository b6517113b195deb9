"""/v1/coordinate (HTTP API: coordinate)."""

from __future__ import annotations

from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.coordinate.endpoint import LIST_DATACENTERS, UPDATE, Coordinates
from proconsul.features.coordinate.model import Coordinate, CoordinateUpdateRequest
from proconsul.features.errors import ConsulError
from proconsul.features.web import Reply, Web, encoder


class CoordinateRoutes:
    """Handlers of /v1/coordinate/*."""

    def __init__(self, web: Web, coordinates: Coordinates, *, disabled: bool = False) -> None:
        self.web = web
        self.coordinates = coordinates
        self.disabled = disabled

    def register(self, router: Router) -> None:
        router.add("/v1/coordinate/datacenters", {"GET": self.datacenters})
        router.add("/v1/coordinate/nodes", {"GET": self.nodes})
        router.add("/v1/coordinate/node/", {"GET": self.node})
        router.add("/v1/coordinate/update", {"PUT": self.update})

    def _require_enabled(self) -> None:
        if self.disabled:
            raise ConsulError("Coordinate support disabled", 401)

    def datacenters(self, request: Request) -> Answer:
        self._require_enabled()
        args = DCSpecificRequest(Datacenter=self.web.datacenter)
        return self.web.write(LIST_DATACENTERS, args, lambda rows: self.web.json(request, rows))

    def nodes(self, request: Request) -> Answer:
        self._require_enabled()
        segment, limited = request.get("segment"), request.has("segment")

        def prepare(rows: list[Coordinate]) -> list[Coordinate]:
            return [row for row in rows if row.Segment == segment] if limited else rows

        encode = encoder(request, self.web, prepare)
        read = self.coordinates.list_nodes(DCSpecificRequest())
        return self.web.read(request, read, encode, form=(limited, segment), headers_on_error=True)

    def node(self, request: Request) -> Answer:
        self._require_enabled()
        pretty = self.web.pretty(request)
        segment, limited = request.get("segment"), request.has("segment")

        def encode(rows: list[Coordinate]) -> Reply:
            rows = [row for row in rows if row.Segment == segment] if limited else rows
            return Reply(200, gojson.dumps(rows, pretty=pretty)) if rows else Reply(404, b"", "", bare=True)

        read = self.coordinates.node(NodeSpecificRequest(Node=request.params))
        return self.web.read(request, read, encode, form=(limited, segment), headers_on_error=True)

    def update(self, request: Request) -> Answer:
        self._require_enabled()
        args = self.web.body(request, CoordinateUpdateRequest)
        if args.Coord is None:
            raise ConsulError("invalid coordinate")  # told here: servers of Consul 1.8 end when they are asked this
        datacenter = request.get("dc") or args.Datacenter or self.web.datacenter
        args = replace(args, Datacenter=datacenter, Token=self.web.token(request))
        return self.web.write(UPDATE, args, lambda _: self.web.empty())
