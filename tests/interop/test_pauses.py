"""Processes that stand still for a while, as those of a suspended machine do, and go on as if nothing had happened."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from support.harness import Subject
from support.pools import Pool, require_reference

pytestmark = pytest.mark.reference


def test_who_stood_still_comes_back_and_accuses_nobody(tmp_path: Path) -> None:
    require_reference()
    with Pool(tmp_path) as pool:
        for number in (1, 2):
            pool.add_consul(f"ref{number}", Subject.REFERENCE, server=number == 1)
            pool.add_serf(f"serf{number}")
        pool.add_consul("our1", Subject.OURS)
        pool.add_bare("bare1")
        pool.join_all()
        pool.everybody_sees()
        stopped = {name: pool.members[name] for name in ("our1", "bare1")}
        before = {name: len(member.log()) for name, member in stopped.items()}
        for member in stopped.values():
            os.kill(member.pid, signal.SIGSTOP)
        running = [member for member in pool if member.name not in stopped]

        def unnoticed() -> object:
            views = {member.name: member.members() for member in running}
            return [(by, name) for by, seen in views.items() for name in stopped if seen[name].status != "failed"]

        pool.until(unnoticed, "those that stand still are missed")
        for member in stopped.values():
            os.kill(member.pid, signal.SIGCONT)
        pool.everybody_sees()
        for name, member in stopped.items():
            failed = set(re.findall(r"EventMemberFailed: (\S+)", member.log()[before[name] :]))
            # The other that stood still was dead indeed, by all that could be heard.
            assert failed <= set(stopped), f"{name} takes its own pause for the death of others"
