"""``consul lock``."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading

from proconsul.cli import child
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.cli.recipes import InUse, RecipeError, Semaphore
from proconsul.cli.recipes import Lock as KeyLock
from proconsul.client.lock_keys import join_path
from proconsul.engine.wire.goerrors import exit_text

# How long a child may take to end after SIGTERM before it gets SIGKILL.
_GRACE_S = 5.0
# Waiting without -timeout: each read of the lock waits this long, for ever.
_WAIT_S = 15.0
_MONITOR_RETRY_S = 1.0
_RETRIES_DEFAULT = 3
_EXIT_CHILD_FAILED = 2


class Lock(Command):
    """Runs a command while holding a lock."""

    usage = "consul lock [options] prefix child..."
    api = CLIENT_AND_SERVER
    body = """
  Waits for a lock (or, with -n above 1, for a place in a semaphore) below the
  prefix, then runs the child. The child ends the lock by ending. If the lock is
  lost first, the child gets SIGTERM and, five seconds later, SIGKILL.

      $ consul lock locks/backup ./backup.sh
"""

    def define(self, flags: FlagSet) -> None:
        self.child_exit_code = flags.boolean("child-exit-code", "End with 2 if the child failed. Default: false.")
        self.limit = flags.integer("n", "How many may hold it at once; above 1 it is a semaphore.", 1)
        self.monitor_retry = flags.integer(
            "monitor-retry",
            "How often to retry when a server error interrupts watching the lock, a second apart "
            "each. 0 gives the lock up at once.",
            _RETRIES_DEFAULT,
        )
        self.name = flags.string("name", "Name of the session. Default: made from the command.")
        self.pass_stdin = flags.boolean("pass-stdin", "Let the child read our standard input.")
        self.shell = flags.boolean("shell", "Run the command by a shell, that of the SHELL environment variable.", True)
        self.timeout = flags.duration(
            "timeout", 'How long to wait for the lock, such as "1s" or "3h". 0 waits for ever.'
        )
        self.try_ = flags.duration("try", "Old name of -timeout.")
        self.verbose = flags.boolean("verbose", "Say what happens.")

    def execute(self, args: list[str]) -> int:
        self._check(args)
        timeout_ns = self.timeout.value or self.try_.value
        if timeout_ns < 0:
            raise Failure("Timeout must be positive")
        if self.monitor_retry.value < 0:
            raise Failure("Number for 'monitor-retry' must be >= 0")
        prefix, command = args[0].removeprefix("/"), args[1:]
        client = self.client()
        with explain("Error querying Consul agent: "):
            client.get("/v1/agent/self")
        options: dict[str, object] = {
            "session_name": self.name.value or f"Consul lock for '{' '.join(command)}' at '{prefix}'",
            "wait_s": timeout_ns / 1e9 if timeout_ns else _WAIT_S,
            "try_once": timeout_ns > 0,
            "monitor_retries": self.monitor_retry.value,
            "monitor_retry_s": _MONITOR_RETRY_S,
        }
        recipe: KeyLock | Semaphore
        if self.limit.value == 1:
            key = join_path(prefix, ".lock")
            self._say(f"Setting up lock at path: {key}")
            recipe = KeyLock(client, key, **options)
        else:
            self._say(f"Setting up semaphore (limit {self.limit.value}) at prefix: {prefix}")
            if not prefix:
                raise Failure("Lock setup failed: missing prefix")
            recipe = Semaphore(client, prefix, self.limit.value, **options)
        return _Run(self, recipe, command).run()

    def _check(self, args: list[str]) -> None:
        if self.limit.value <= 0:
            raise Failure("Lock holder limit must be positive")
        if len(args) < 2:
            raise Failure("Key prefix and child command must be specified")

    def _say(self, text: str) -> None:
        if self.verbose.value:
            self.ui.out(text)


class _Run:
    """One acquisition and the child's life."""

    def __init__(self, command: Lock, recipe: KeyLock | Semaphore, arguments: list[str]) -> None:
        self._command = command
        self._recipe = recipe
        self._arguments = arguments
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._shutdown = threading.Event()

    def run(self) -> int:
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._run()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._shutdown.set()
        self._events.put("Shutdown triggered, killing child")
        self._recipe.stop()

    def _run(self) -> int:
        say, ui = self._command._say, self._command.ui
        say("Attempting lock acquisition")
        lost = self._acquire()
        if lost is None:
            raise Failure("Shutdown triggered or timeout during lock acquisition")
        code = 0
        if self._shutdown.is_set():
            say("Shutdown triggered before child start")
        else:
            code = self._with_lock(lost)
        try:
            self._recipe.release()
        except RecipeError as error:
            raise Failure(f"Lock release failed: {error}") from None
        try:
            self._recipe.destroy()
        except InUse:
            say("Cleanup aborted, lock in use")
        except RecipeError as error:
            ui.error(f"Lock cleanup failed: {error}")
            return 1
        else:
            say("Cleanup succeeded")
        return code

    def _acquire(self) -> threading.Event | None:
        """Acquire in a thread: the main thread must stay free for signals."""
        outcome: list[threading.Event | None] = []
        errors: list[RecipeError] = []

        def work() -> None:
            try:
                outcome.append(self._recipe.acquire())
            except RecipeError as error:
                errors.append(error)

        worker = threading.Thread(target=work, name="lock-acquisition", daemon=True)
        worker.start()
        while worker.is_alive() and not self._shutdown.is_set():
            worker.join(0.1)
        if worker.is_alive():
            self._recipe.abandon()
            return None
        if errors:
            raise Failure(f"Lock acquisition failed: {errors[0]}")
        return outcome[0] if outcome else None

    def _with_lock(self, lost: threading.Event) -> int:
        say, ui = self._command._say, self._command.ui
        failed = _EXIT_CHILD_FAILED if self._command.child_exit_code.value else 0
        say("Starting handler")
        stdin = None if self._command.pass_stdin.value else subprocess.DEVNULL
        try:
            process = child.start(
                self._arguments,
                shell=self._command.shell.value,
                environment={"CONSUL_LOCK_HELD": "true"},
                stdin=stdin,
            )
        except child.StartError as error:
            ui.error(f"Error starting handler: {error}")
            say("Child terminated, releasing lock")
            return failed
        if stdin is None:
            say("Stdin passed to handler process")
        self._listen(process, lost)
        event = self._next_event()
        say(event)
        if not event.startswith("Child"):
            self._kill(process)
            return 0
        trouble = exit_text(process.wait())
        if trouble:
            ui.error(f"Error running handler: {trouble}")
        return failed if trouble else 0

    def _listen(self, process: subprocess.Popen[bytes], lost: threading.Event) -> None:
        def until_end() -> None:
            process.wait()
            self._events.put("Child terminated, releasing lock")

        def until_lost() -> None:
            lost.wait()
            self._events.put("Lock lost, killing child")

        for target in (until_end, until_lost):
            threading.Thread(target=target, name=target.__name__, daemon=True).start()

    def _next_event(self) -> str:
        while True:
            try:
                # A bounded wait lets the main thread run signal handlers on every platform.
                return self._events.get(timeout=0.1)
            except queue.Empty:
                continue

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        say, ui = self._command._say, self._command.ui
        say(f"Terminating child pid {process.pid}")
        process.terminate()
        try:
            code = process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            say(f"Child did not exit after grace period of {_GRACE_S:.0f}s")
            say(f"Killing child pid {process.pid}")
            process.kill()
            ui.error(f"Error running handler: {exit_text(process.wait())}")
            return
        trouble = exit_text(code)
        if trouble:
            ui.error(f"Error running handler: {trouble}")
        say("Child terminated")
