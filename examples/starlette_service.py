"""A service with its agent inside, with Starlette: `uvicorn starlette_service:app`.

JOIN names agents of a datacenter, and DATA_DIR where this one keeps what it has to know after a restart. Without them
it is a datacenter of its own, in memory.
"""

import os
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from proconsul.embed import EmbeddedAgent, WebService, lifespan

settings: dict[str, Any] = {"dev": True}
if os.environ.get("JOIN"):
    settings = {"retry_join": os.environ["JOIN"].split(","), "data_dir": os.environ["DATA_DIR"]}
agent = EmbeddedAgent(settings, free_ports=True)


async def nodes(request: Request) -> JSONResponse:
    found = await request.state.consul.client.catalog.service("stock")
    return JSONResponse([f"{one.Node}:{one.ServicePort}" for one in found])


app = Starlette(
    routes=[Route("/", nodes)],
    lifespan=lifespan(agent, register=WebService("stock", port=8000, ttl=15)),
)
