"""A service that others find, with aiohttp: `python aiohttp_service.py`."""

import os

from aiohttp import web

from proconsul.embed import Attached, WebService, cleanup_context

PORT = int(os.environ.get("PORT", "8000"))
CONSUL = web.AppKey("consul", Attached)


async def others(request: web.Request) -> web.Response:
    resolver = request.app[CONSUL].resolver("mail")
    return web.json_response([one.address for one in resolver.instances])


def make() -> web.Application:
    app = web.Application()
    app.router.add_get("/", others)
    service = WebService("mail", port=PORT, address="127.0.0.1", ttl=15)
    app.cleanup_ctx.append(cleanup_context(key=CONSUL, register=service, resolve=["mail"]))
    return app


if __name__ == "__main__":
    web.run_app(make(), port=PORT)
