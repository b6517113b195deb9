"""The doctor's rules: each looks at the facts and says in sentences what is wrong, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from proconsul.cli.doctor.facts import Facts

__all__ = ["RULES", "Finding", "Urgency", "diagnose"]

# Bytes below which a disk is about full, whatever its size, and the share of it.
FREE_BYTES_MIN, FREE_SHARE_MIN = 1 << 30, 0.1
# Servers compare times of sessions and tokens by their own clocks.
CLOCK_OFF_MAX_S = 2.0
LOOP_LAG_MAX_MS = 500.0
DISK_MEAN_MAX_MS = 100.0
CONTACT_MAX_MS = 1000.0
# A kind of record that grows by so much between the first and the last snapshot is looked at.
GROWTH_FACTOR, GROWTH_BYTES = 1.5, 10 << 20
_ALIVE, _LEFT, _FAILED = 1, 3, 4
_LOOPBACK = ("127.", "::1", "localhost", "/", "unix:")


class Urgency(IntEnum):
    """How urgent it is; also the exit code of the command."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


class Finding(NamedTuple):
    """``what`` is the case, ``why`` it matters or how it is known, and what to do: ``cure``."""

    urgency: Urgency
    what: str
    why: str
    cure: str


Rule = Callable[[Facts], Iterator[Finding]]


def diagnose(facts: Facts) -> list[Finding]:
    """All findings, the worst first."""
    found = [finding for rule in RULES for finding in _tried(rule, facts)]
    return sorted(found, key=lambda finding: -finding.urgency)


def _tried(rule: Rule, facts: Facts) -> list[Finding]:
    """What ``rule`` finds. Answers are whatever answers there; one that is none of an agent's is a finding, too."""
    try:
        return list(rule(facts))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [
            Finding(
                Urgency.WARNING,
                f"What the agent answers cannot be understood ({rule.__name__.replace('_', ' ')}).",
                f"{type(error).__name__}: {error}",
                "See what listens at that address, and which version.",
            )
        ]


def _is_refused(text: str) -> bool:
    """Whether that is why an answer is not there. The number may be a part of an address, too."""
    return text.startswith("Unexpected response code: 403 ")


def reachable(facts: Facts) -> Iterator[Finding]:
    if facts.own is None and "own" in facts.unseen:
        text = facts.unseen["own"]
        if _is_refused(text):
            yield Finding(
                Urgency.WARNING,
                "The agent does not let this token look at it.",
                text,
                "Give a token with agent:read, node:read and operator:read: -token, or CONSUL_HTTP_TOKEN.",
            )
        else:
            yield Finding(
                Urgency.CRITICAL,
                "The agent does not answer.",
                text,
                "See whether it runs and what its log says; -http-addr or CONSUL_HTTP_ADDR names another address.",
            )
    refused = sorted(name for name, text in facts.unseen.items() if name != "own" and _is_refused(text))
    if refused:
        yield Finding(
            Urgency.WARNING,
            f"Not all could be looked at: {', '.join(refused)}.",
            "The token may not read it.",
            "Give a token with agent:read, node:read and operator:read.",
        )


def leaderless(facts: Facts) -> Iterator[Finding]:
    if facts.leader != "" and "No cluster leader" not in str(facts.unseen.get("leader", "")):
        return
    voters, here = _voters(facts)
    need = len(voters) // 2 + 1
    if voters and len(here) < need:
        gone = sorted(set(voters) - set(here))
        yield Finding(
            Urgency.CRITICAL,
            f"Nobody leads: {len(here)} of {len(voters)} voters are alive, {need} are needed.",
            f"Not alive: {', '.join(gone)}.",
            "Start one of them again. Only if they are lost for good: raft/peers.json on the survivors.",
        )
    else:
        yield Finding(
            Urgency.CRITICAL,
            "Nobody leads.",
            "An election lasts a second or two; this is longer.",
            "See the servers' logs for elections, and whether they reach each other's RPC port.",
        )


def _voters(facts: Facts) -> tuple[list[str], list[str]]:
    """The names of the voters, and of those that are alive as the agent sees it."""
    servers = (facts.raft or {}).get("Servers") or []
    voters = [str(server.get("Node")) for server in servers if server.get("Voter")]
    alive = {str(member["Name"]) for member in facts.members or () if member.get("Status") == _ALIVE}
    return voters, [name for name in voters if name in alive]


def quorum(facts: Facts) -> Iterator[Finding]:
    state: Mapping[str, Any] | None = facts.autopilot
    if state is None:  # of an agent that does not tell: what can be counted
        known, here = _voters(facts)
        if not facts.leader or facts.members is None or len(here) <= len(known) // 2:
            return  # who does not lead is another rule's
        state = {"Voters": known, "FailureTolerance": len(here) - len(known) // 2 - 1}
    voters = len(state.get("Voters") or ())
    for server in (state.get("Servers") or {}).values():
        if not server.get("Healthy"):
            yield Finding(
                Urgency.WARNING,
                f"Server {server.get('Name')} is not healthy.",
                "; ".join(server.get("Why") or ()) or str(server.get("NodeStatus")),
                "consul members -why tells what the agents saw of it; see its log.",
            )
    if voters > 1 and not state.get("FailureTolerance"):
        yield Finding(
            Urgency.WARNING if voters > 2 else Urgency.CRITICAL,
            "The loss of one more server stops all writes.",
            f"{voters} voters, failure tolerance 0.",
            "Bring the missing servers back, or add servers until there are three or five.",
        )
    elif voters > 2 and voters % 2 == 0:
        yield Finding(
            Urgency.WARNING,
            f"{voters} voters bear no more losses than {voters - 1}.",
            "A majority of an even number is one more.",
            "Run an odd number of servers.",
        )


def behind(facts: Facts) -> Iterator[Finding]:
    servers = (facts.raft or {}).get("Servers") or []
    ends = {server.get("Node"): int(server.get("LastIndex") or 0) for server in servers}
    most = max(ends.values(), default=0)
    allowed = int((facts.settings or {}).get("MaxTrailingLogs") or 0)
    for name, end in ends.items():
        if allowed and end and most - end > allowed:
            yield Finding(
                Urgency.WARNING,
                f"Server {name} is {most - end} log entries behind.",
                f"More than {allowed} (MaxTrailingLogs).",
                "See whether its disk or network is slow; it cannot take over quickly.",
            )


def members(facts: Facts) -> Iterator[Finding]:
    known = facts.members or ()
    failed = sorted(str(member["Name"]) for member in known if member.get("Status") == _FAILED)
    if failed:
        yield Finding(
            Urgency.WARNING,
            f"Failed: {', '.join(failed[:10])}{' and more' if len(failed) > 10 else ''}.",
            f"{len(failed)} of {len(known)} members do not answer probes.",
            "Start them again; for one that is gone for good: consul force-leave NAME.",
        )
    builds = {
        str((member.get("Tags") or {}).get("build", "")).split(":")[0]
        for member in known
        if member.get("Status") == _ALIVE
    }
    if len(builds - {""}) > 1:
        yield Finding(
            Urgency.WARNING,
            f"Members run {len(builds)} versions: {', '.join(sorted(builds))}.",
            "Mixed versions are for the time of an upgrade.",
            "Finish the upgrade, servers first.",
        )


def out_of_sync(facts: Facts) -> Iterator[Finding]:
    report = facts.sync
    if report is None:
        return
    for block in ("Services", "Checks"):
        entries = report.get(block) or {}
        late = sorted(name for name, one in entries.items() if not one.get("InSync"))
        if late:
            reasons = sorted({str(entries[name].get("LastError") or "") for name in late} - {""})
            yield Finding(
                Urgency.WARNING,
                f"{block} the catalog does not have as they are: {', '.join(late[:10])}.",
                "; ".join(reasons[:3]) or str(report.get("LastError") or "They have changed just now."),
                "consul services sync says why for each, with -now it compares at once.",
            )


def certificates(facts: Facts) -> Iterator[Finding]:
    for one in (facts.certificates or {}).get("certificates") or ():
        severity, path = str(one.get("severity", "")).upper(), one.get("path") or one.get("name")
        if severity not in ("WARNING", "CRITICAL"):
            continue
        failure = (one.get("renewal_failure") or {}).get("failure_reason")
        left = int(one.get("seconds_remaining") or 0)
        yield Finding(
            Urgency[severity],
            f"A certificate cannot be read: {path}." if failure
            else f"A certificate has ended: {path}." if left <= 0
            else f"A certificate ends in {left // 86400} days: {path}.",
            str(failure or f"It is good until {one.get('not_after')}; without it no TLS connection is made."),
            "Put a good one in its place and run consul reload.",
        )  # fmt: skip


def clock(facts: Facts) -> Iterator[Finding]:
    if abs(facts.clock_off_s) > CLOCK_OFF_MAX_S:
        way = "ahead of" if facts.clock_off_s > 0 else "behind"
        yield Finding(
            Urgency.WARNING,
            f"The agent's clock is {abs(facts.clock_off_s):.0f} s {way} this machine's.",
            "Certificates, tokens with an end and logs go by it.",
            "Run a time service on both.",
        )


def load(facts: Facts) -> Iterator[Finding]:
    lag = _sample(facts, "runtime.loop_lag_ms")
    if lag and lag["Max"] > LOOP_LAG_MAX_MS:
        yield Finding(
            Urgency.WARNING,
            f"The agent was late by {lag['Max']:.0f} ms.",
            "Its machine is busy, or one request was very large.",
            "Look for other programs on it; consul debug shows what the agent does.",
        )
    disk = _sample(facts, "raft.leader.dispatchLog")
    if disk and disk["Mean"] > DISK_MEAN_MAX_MS:
        yield Finding(
            Urgency.WARNING,
            f"The disk takes {disk['Mean']:.0f} ms for a write.",
            "Every write to the cluster waits for it.",
            "Give the data directory a disk of its own.",
        )
    contact = _sample(facts, "raft.leader.lastContact")
    if contact and contact["Max"] > CONTACT_MAX_MS:
        yield Finding(
            Urgency.WARNING,
            f"A majority was silent for {contact['Max']:.0f} ms.",
            "A little longer, and the leader steps down.",
            "Look at the network between the servers, and at their load.",
        )
    refused = [
        one
        for one in (facts.metrics or {}).get("Counters") or ()
        if str(one.get("Name", "")).endswith("rpc.rate_limit.exceeded")
    ]
    if refused:
        total = sum(one["Sum"] for one in refused)
        yield Finding(
            Urgency.WARNING,
            f"{total:.0f} requests were above limits.request_limits in ten seconds.",
            ", ".join(sorted({str(one["Labels"].get("op")) for one in refused})),
            "Find who asks so often, or raise the limit.",
        )


def _sample(facts: Facts, name: str) -> Mapping[str, Any] | None:
    for one in (facts.metrics or {}).get("Samples") or ():
        if str(one.get("Name", "")).endswith(f".{name}"):
            found: Mapping[str, Any] = one
            return found
    return None


def openness(facts: Facts) -> Iterator[Finding]:
    config = (facts.own or {}).get("DebugConfig") or {}
    open_to = [str(one) for one in config.get("ClientAddrs") or () if not str(one).startswith(_LOOPBACK)]
    controlled, by_default = bool(config.get("ACLsEnabled")), config.get("ACLDefaultPolicy")
    if open_to and not (controlled and by_default == "deny"):
        scripts = bool(config.get("EnableRemoteScriptChecks"))
        what = "run commands on its machine" if scripts else "change everything"
        how = "access control allows by default" if controlled else "access control is off"
        yield Finding(
            Urgency.CRITICAL if scripts else Urgency.WARNING,
            f"Whoever reaches this agent may {what}.",
            f"It listens on {', '.join(open_to)}, and {how}.",
            'Turn on access control with default_policy = "deny", or listen on 127.0.0.1 only.',
        )
    elif controlled and by_default == "allow":
        yield Finding(
            Urgency.WARNING,
            "Access control allows what no rule forbids.",
            "default_policy is allow.",
            'Give everybody a token, then set default_policy = "deny".',
        )


def whose(facts: Facts) -> Iterator[Finding]:
    data, own = facts.data, ((facts.own or {}).get("Config") or {}).get("NodeID")
    if data is not None and data.node_id and own and data.node_id != own:
        yield Finding(
            Urgency.WARNING,
            f"{data.path} is the data directory of another agent.",
            f"There is node-id {data.node_id}; the agent that was asked is {own}.",
            "Run doctor on the agent's machine, or name its own directory with -data-dir.",
        )


def disk(facts: Facts) -> Iterator[Finding]:
    data = facts.data
    if data is None:
        return
    if data.free < FREE_BYTES_MIN or data.free < data.total * FREE_SHARE_MIN:
        severity = Urgency.CRITICAL if data.free < FREE_BYTES_MIN // 4 else Urgency.WARNING
        yield Finding(
            severity,
            f"The disk of {data.path} has {data.free >> 20} MiB left.",
            "A server whose disk is full steps down and takes no writes.",
            "Make room; the log is cut after the next snapshot.",
        )
    if data.log_bytes > max(data.free, 1):
        yield Finding(
            Urgency.WARNING,
            f"The Raft log has {data.log_bytes >> 20} MiB, more than the disk has left.",
            "A snapshot needs room beside it.",
            "Make room for at least as much.",
        )
    for name, mode in sorted(data.modes.items()):
        if mode & 0o007:
            yield Finding(
                Urgency.WARNING,
                f"{name} may be read by everybody on the machine.",
                f"Its mode is {mode:o}; there are secrets in it.",
                f"chmod o-rwx {data.path}/{name}",
            )


def growth(facts: Facts) -> Iterator[Finding]:
    kinds = facts.data.kinds if facts.data is not None else ()
    if len(kinds) < 2:
        return
    (began, first), (ended, last) = kinds[0], kinds[-1]
    for kind, size in sorted(last.items()):
        before = first.get(kind, 0)
        if size - before > GROWTH_BYTES and size > before * GROWTH_FACTOR:
            hours = max(ended - began, 1.0) / 3600
            yield Finding(
                Urgency.WARNING,
                f"{kind} grew from {before >> 20} to {size >> 20} MiB in {hours:.1f} hours.",
                "All of it is kept in the memory of every server.",
                "consul snapshot inspect -kvdetails on two snapshots shows which prefix grows.",
            )


RULES: tuple[Rule, ...] = (
    reachable,
    leaderless,
    quorum,
    behind,
    members,
    out_of_sync,
    certificates,
    clock,
    load,
    openness,
    whose,
    disk,
    growth,
)
