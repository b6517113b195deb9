# Made by scripts/make_blocking_client.py of ../aio/resolver.py: change that one.
"""Where a service is, known without asking."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from proconsul.client.blocking import kit
from proconsul.client.blocking.parts import Parts
from proconsul.client.blocking.watch import Watch
from proconsul.client.choosing import Instance, Strategy, chooser, instances_of
from proconsul.client.errors import CallTimeout, ConsulError, NotFound
from proconsul.client.options import ReadOptions
from proconsul.features.catalog.model import CheckServiceNode

__all__ = ["Resolver"]

_AGAIN_S: Final = 5.0


class Resolver:
    """Follows the instances of a service. Made by `client.resolver`.

    ``with`` it, or `start` and `stop` it. While nobody can be asked, what was known last is still used
    (``is_stale`` says so), as the service is not gone with its registry.
    """

    def __init__(
        self, parts: Parts, service: str, *, passing: bool, tag: str | None, strategy: Strategy,
        options: ReadOptions,
    ) -> None:  # fmt: skip
        self.service = service
        self._choose = chooser(strategy, parts.caller.rng)
        if strategy == "nearest":
            options = {"near": "_agent", **options}
        self._parts, self._options = parts, {"passing": passing, "tag": tag, **options}
        self._watch = self._new_watch()
        self._job: kit.Job | None = None
        self._ready = kit.Flag()
        # All that can be used; those that are nearest come first where that was asked for.
        self.instances: tuple[Instance, ...] = ()
        self._refusal: ConsulError | None = None

    def _new_watch(self) -> Watch[list[CheckServiceNode]]:
        parts = self._parts
        return Watch(parts.caller, parts.health.service, (self.service,), self._options)

    @property
    def last_error(self) -> ConsulError | None:
        """Why nothing newer is known, None while all is well."""
        return self._refusal or self._watch.last_error

    @property
    def is_stale(self) -> bool:
        """Whether what is known may be old."""
        return self._job is None or self.last_error is not None

    def start(self, timeout: float = 10.0, *, required: bool = True) -> None:
        """Begin, and wait until the instances are known. Raises ConsulError when that does not come to be in time;
        without ``required`` it does not, and goes on with no instance until it knows some."""
        if self._job is not None:
            raise RuntimeError(f"{self.service} is followed already")
        # What was known before it ended is old: who starts it again waits again.
        self._watch, self._ready, self._refusal = self._new_watch(), kit.Flag(), None
        if not required:
            self._watch.on_error = self._failed
        self._job = kit.Job(self._follow, f"resolver of {self.service}", self._broken)
        try:
            known = self._ready.wait_for(timeout)
            if required and (not known or self._refusal is not None):
                raise self.last_error or CallTimeout(f"{self.service} is not known within {timeout:g} s")
        except BaseException:
            self.stop()
            raise

    def _follow(self) -> None:
        while True:
            try:
                for rows in self._watch:
                    self.instances = instances_of(rows)
                    self._refusal = None
                    self._ready.set()
                return
            except ConsulError as error:  # refused: who looks at `last_error` may do something
                self._refusal = error
                self._ready.set()
                kit.sleep(_AGAIN_S)

    def _failed(self, error: ConsulError) -> None:
        """Who does not need it goes on."""
        self._ready.set()

    def _broken(self, error: BaseException) -> None:
        """A fault of ours ends it; nobody shall take that for quiet."""
        self._refusal = ConsulError(f"following {self.service} failed: {error!r}")
        self._ready.set()

    def pick(self) -> Instance:
        """One instance, by the resolver's strategy. Raises NotFound when there is none."""
        if not self.instances:
            raise NotFound(f"no instance of {self.service}", 404)
        return self._choose(self.instances)

    def stop(self) -> None:
        """End it; what is known stays."""
        job, self._job = self._job, None
        if job is not None:
            job.stop()

    def __enter__(self) -> Resolver:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.stop()
