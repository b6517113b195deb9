"""/debug/pprof: what the process is doing (HTTP API: none; Consul docs: debug).

The paths are those ``consul debug`` collects; the contents are texts about this runtime, whose profiles are not Go's.
"""

from __future__ import annotations

import asyncio
import gc
import io
import sys
import threading
import traceback
from collections import Counter

from proconsul.agent.api.rights import Rights
from proconsul.agent.config.runtime import ReloadableConfig
from proconsul.agent.part import Part
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.features.acl.rules import Level
from proconsul.features.errors import ACLDisabled, BadRequest

PROFILE_SECONDS_DEFAULT = 30.0
PROFILE_SECONDS_MAX = 300.0
_ROWS = 100


class DebugRoutes(Part):
    """Handlers of /debug/pprof/*; allowed with ``enable_debug``, with access control to operators."""

    def __init__(self, rights: Rights, config: ReloadableConfig) -> None:
        self._rights = rights
        self._enabled = config.enable_debug
        self._profiling = False

    def register(self, router: Router) -> None:
        for name, handler in (
            ("cmdline", self.cmdline), ("goroutine", self.tasks), ("heap", self.heap), ("profile", self.profile),
            ("trace", self.profile),
        ):  # fmt: skip
            router.add(f"/debug/pprof/{name}", {"GET": handler})

    def reloaded(self, config: ReloadableConfig) -> None:
        self._enabled = config.enable_debug

    def _require(self, request: Request) -> None:
        """With access control who may read the operator's things may look, ``enable_debug`` or not."""
        if self._rights.asked_for:
            self._rights.require_operator(request, Level.READ)
        elif not self._enabled:
            raise ACLDisabled()

    @staticmethod
    def _text(text: str) -> Response:
        return Response(200, text.encode("utf-8", "replace"), {"Content-Type": "text/plain; charset=utf-8"})

    def cmdline(self, request: Request) -> Answer:
        self._require(request)
        return self._text("\x00".join(sys.argv))

    def tasks(self, request: Request) -> Answer:
        """The stacks of all tasks and threads."""
        self._require(request)
        out = io.StringIO()
        for task in asyncio.all_tasks():
            task.print_stack(file=out)
        frames = sys._current_frames()
        for thread in threading.enumerate():
            out.write(f"\nthread {thread.name}\n")
            frame = frames.get(thread.ident or 0)
            if frame is not None:
                out.write("".join(traceback.format_stack(frame)))
        return self._text(out.getvalue())

    def heap(self, request: Request) -> Answer:
        """The most frequent kinds of objects the garbage collector knows."""
        self._require(request)
        kinds = Counter(type(item).__name__ for item in gc.get_objects())
        rows = "".join(f"{count:>10} {name}\n" for name, count in kinds.most_common(_ROWS))
        return self._text(f"objects by type, {sum(kinds.values())} in all\n{rows}")

    async def profile(self, request: Request) -> Response:
        """Where the event loop spends its time, over ``?seconds=``."""
        import cProfile
        import pstats

        self._require(request)
        try:
            seconds = float(request.get("seconds") or PROFILE_SECONDS_DEFAULT)
        except ValueError:
            raise BadRequest("Bad request: seconds must be a number") from None
        if self._profiling:
            raise BadRequest("Could not enable CPU profiling: cpu profiling already in use")
        self._profiling = True
        profiler = cProfile.Profile()
        try:
            profiler.enable()
            await asyncio.sleep(min(max(seconds, 0.0), PROFILE_SECONDS_MAX))
        finally:
            profiler.disable()
            self._profiling = False
        out = io.StringIO()
        pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(_ROWS)
        return self._text(out.getvalue())
