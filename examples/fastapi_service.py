"""A service that others find, and that finds others, with FastAPI: `uvicorn fastapi_service:app --port 8000`.

The agent is outside, where CONSUL_HTTP_ADDR says. It looks at /health, and removes the service when that has failed
for a day. The program starts, serves and ends whether there is an agent or not.
"""

import os

from fastapi import FastAPI, HTTPException, Request

from proconsul.client import NotFound, http_check
from proconsul.embed import Attached, WebService, lifespan

PORT = int(os.environ.get("PORT", "8000"))
HEALTH = http_check(f"http://127.0.0.1:{PORT}/health", interval=1, deregister_after=24 * 3600)

app = FastAPI(
    lifespan=lifespan(
        register=WebService("orders", port=PORT, address="127.0.0.1", ttl=None, check=HEALTH),
        resolve=["prices"],
        prefix="orders/",
        defaults={"greeting": "hello", "limit": 10},
    )
)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "fine"}


@app.get("/")
async def greeting(request: Request) -> dict[str, str | int]:
    consul: Attached = request.state.consul
    return {"greeting": consul.settings.text("greeting"), "limit": consul.settings.integer("limit")}


@app.get("/prices")
async def prices(request: Request) -> dict[str, str]:
    consul: Attached = request.state.consul
    try:
        instance = consul.resolver("prices").pick()
    except NotFound:
        raise HTTPException(503, "no instance of prices") from None
    return {"address": instance.address}
