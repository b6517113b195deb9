"""Answers out of the catalog (Consul docs: DNS interface). Pure: the store is read, nothing is sent or awaited.

Names outside of our domains (targets of CNAMEs) cannot be resolved here: the first pass leaves them in
``Answer.wanted``, the caller asks the recursors and answers again with what they said in ``outside``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address

from proconsul.dns import message as m
from proconsul.dns.message import DnsQuery, DnsReply, ResourceRecord
from proconsul.dns.names import Lookup, NameKind, hex_address, parse_lookup, reverse_address, strip_domain
from proconsul.dns.prepared import question, ttl_s
from proconsul.dns.reads import Elsewhere, PreparedQueries, Reads
from proconsul.dns.records import is_host_name, metadata_records, packed_address, packed_name, weight
from proconsul.dns.settings import Settings, domain_labels
from proconsul.dns.trim import trim
from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import QuerySource
from proconsul.features.catalog.addresses import (
    Accept,
    has_address,
    node_address,
    node_address_of_use,
    service_address,
    service_port,
)
from proconsul.features.catalog.model import (
    CONSUL_SERVICE_NAME,
    HEALTH_CRITICAL,
    HEALTH_PASSING,
    CheckServiceNode,
)
from proconsul.features.errors import NoPathToDatacenter, NotFound
from proconsul.features.query.model import PreparedQueryExecuteRequest, PreparedQueryExecuteResponse

# CNAMEs are followed this many times inside of our own domains. The original gives up after three, and its clients get
# no address. Other resolvers follow some eight to sixteen.
ALIASES_MAX = 8
# Of the addresses behind a service's CNAME, this many are given to clients without EDNS.
RESOLVED_ADDRESSES_MAX = 5
NAME_SERVERS_MAX = 3

_NODE_KINDS = frozenset({m.A, m.AAAA, m.ANY, m.TXT})
_NODE_ADDRESS_KINDS = _NODE_KINDS - {m.TXT}
# Whoever asks for one family follows a name, too.
_ACCEPTED = {m.A: Accept.IPV4 | Accept.NAME, m.AAAA: Accept.IPV6 | Accept.NAME}
_ADDRESS_KINDS_V4 = frozenset({m.A, m.ANY, m.TXT})
_ADDRESS_KINDS_V6 = frozenset({m.AAAA, m.ANY, m.TXT})


class Answer:
    """A reply and what it rests on."""

    __slots__ = (
        "followed",
        "in_domain",
        "lasting",
        "outside",
        "recurse",
        "reply",
        "reverse",
        "timed",
        "turns",
        "wanted",
        "watch",
    )

    def __init__(self, outside: Mapping[bytes, list[ResourceRecord]]) -> None:
        self.reply = DnsReply()
        self.watch = WatchSet()
        self.outside = outside
        # Names the recursors should resolve before answering again.
        self.wanted: set[bytes] = set()
        # What is behind the names that were followed, nothing for those still being followed: so circles end, and names
        # that many instances share are followed once.
        self.followed: dict[bytes, list[ResourceRecord]] = {}
        # The question is for the recursors altogether.
        self.recurse = False
        # False when the question is in no domain of ours.
        self.in_domain = True
        # The question is for the name of an address.
        self.reverse = False
        # It holds the time of the answer (a SOA serial).
        self.timed = False
        # Whether the same question may be given it until something changes.
        self.lasting = True
        # Another run of the same question may give another order or choice.
        self.turns = False


class Answerer:
    """Answers questions from ``reads``."""

    def __init__(
        self, settings: Settings, reads: Reads, rng: random.Random, clock: Callable[[], float],
        queries: PreparedQueries | None = None, readable: Callable[[], bool] | None = None,
        elsewhere: Callable[[str], Elsewhere] | None = None,
    ) -> None:  # fmt: skip
        """``elsewhere``: the reads of another datacenter, by its name; None when there is no other."""
        self.settings = settings
        self.reads = reads
        self.rng = rng
        self.clock = clock
        self.queries = queries
        # Whether the catalog may be read now; None when it always may.
        self.readable = readable
        self.elsewhere = elsewhere
        domains = [domain_labels(settings.domain)]
        if settings.alt_domain:
            domains.append(domain_labels(settings.alt_domain))
        self.domains = tuple(domains)

    def answer(
        self, query: DnsQuery, *, tcp: bool, outside: Mapping[bytes, list[ResourceRecord]] | None = None
    ) -> Answer:
        """The reply to ``query``, trimmed for its transport."""
        answer = Answer(outside or {})
        answer.reply.recursion_available = bool(self.settings.recursors)
        labels = [label.lower() for label in m.unpack_name(query.name)]
        found = strip_domain(labels, (*self.domains, ("arpa",)))
        if found is None:
            answer.in_domain = False
            answer.recurse = bool(self.settings.recursors)
        elif found[1] == ("arpa",):
            answer.reverse = True
            _Run(self, query, answer, tcp=tcp).reverse(labels)
        else:
            _Run(self, query, answer, tcp=tcp).forward(found[0])
        return answer


class _Run:
    """One question being answered."""

    def __init__(self, answerer: Answerer, query: DnsQuery, answer: Answer, *, tcp: bool) -> None:
        self.answerer = answerer
        self.settings = answerer.settings
        self.query = query
        self.answer = answer
        self.reply = answer.reply
        # Names in answers are in the primary domain, even for questions in the alternative one.
        self.domain = ".".join(answerer.domains[0]) + "."
        self.tcp = tcp
        # Whose names are asked for.
        self.datacenter, self.reads = self.settings.datacenter, answerer.reads
        self.readable = answerer.readable is None or answerer.readable()

    # ------------------------------------------------------------------ reverse

    def reverse(self, labels: list[str]) -> None:
        if self.query.kind == m.SOA:
            self.add_soa(self.reply.authority)
        packed = reverse_address(labels)
        target = self.name_of_address(packed) if packed is not None and self.readable else None
        if target is None:
            self.answer.recurse = True
            return
        self.reply.answer.append(m.name_record(self.query.name, m.PTR, 0, target))

    def name_of_address(self, packed: bytes) -> bytes | None:
        """The name of the node, else of the service, with this address."""
        reads, watch = self.answerer.reads, self.answer.watch
        wanted = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
        text = str(wanted)
        _, nodes = reads.nodes(watch)
        datacenter = self.settings.datacenter
        for node in nodes:
            if node.Address == text or (
                len(packed) == 16 and ":" in node.Address and packed_address(node.Address) == packed
            ):
                return packed_name(f"{node.Node}.node.{datacenter}.{self.domain}")
        watch.add("services")
        for row in reads.services_of_address(text):
            return packed_name(f"{row.ServiceName}.service.{datacenter}.{self.domain}")
        return None

    # ------------------------------------------------------------------ forward

    def forward(self, labels: list[str]) -> None:
        kind = self.query.kind
        if kind in (m.SOA, m.NS):
            servers, glue = self.name_servers()
            if kind == m.SOA:
                self.add_soa(self.reply.answer)
            (self.reply.authority if kind == m.SOA else self.reply.answer).extend(servers)
            self.reply.additional += glue
        elif kind == m.AXFR:
            self.reply.rcode = m.NOTIMP
        else:
            self.answer.followed[self.query.name.lower()] = []
            self.dispatch(labels, ALIASES_MAX)

    def dispatch(self, labels: list[str], depth: int) -> None:
        lookup = parse_lookup(labels, self.query.kind)
        if lookup is None:
            self.name_error()
        elif lookup.kind is NameKind.ADDRESS:
            self.address(lookup.name, labels)
        elif lookup.kind is NameKind.NODE and self.query.kind not in _NODE_KINDS:
            # Nothing is known of other types, whether the node is there or not.
            pass
        elif not self.readable:
            self.reply.rcode = m.SERVFAIL
        else:
            try:
                self.look_up(lookup, depth)
            except NoPathToDatacenter:
                self.name_error()

    def look_up(self, lookup: Lookup, depth: int) -> None:
        """Answer from the catalog of the datacenter that is named. Raises NoPathToDatacenter."""
        answerer = self.answerer
        if lookup.datacenter not in ("", self.datacenter):
            if answerer.elsewhere is None:
                raise NoPathToDatacenter()
            self.datacenter, self.reads = lookup.datacenter, answerer.elsewhere(lookup.datacenter)
        if lookup.kind is NameKind.NODE:
            self.node(lookup.name, depth)
        elif lookup.kind is NameKind.QUERY:
            self.prepared(lookup.name, depth)
        elif lookup.kind is NameKind.INGRESS:
            self.name_error()
        else:
            self.service(lookup, depth)

    @property
    def abroad(self) -> bool:
        """Whether addresses are those that lead to another datacenter."""
        return self.settings.translate_wan_addrs and self.datacenter != self.settings.datacenter

    def name_error(self) -> None:
        self.add_soa(self.reply.authority)
        self.reply.rcode = m.NXDOMAIN

    def add_soa(self, section: list[ResourceRecord]) -> None:
        self.answer.timed = True
        domain = packed_name(self.domain) or b"\0"
        refresh_s, retry_s, expire_s, minimum_s = self.settings.soa
        names = (b"\2ns" + domain, b"\x0ahostmaster" + domain)
        numbers = (int(self.answerer.clock()) & 0xFFFFFFFF, refresh_s, retry_s, expire_s, minimum_s)
        section.append(m.soa_record(domain, minimum_s, names, numbers))

    def name_servers(self) -> tuple[list[ResourceRecord], list[ResourceRecord]]:
        """NS records of up to three servers of this datacenter, and their addresses."""
        if not self.readable:
            return [], []
        _, rows = self.answerer.reads.check_service_nodes(self.answer.watch, CONSUL_SERVICE_NAME)
        rows = self.shuffled(self.healthy(rows))
        domain = packed_name(self.domain) or b"\0"
        servers: list[ResourceRecord] = []
        glue: list[ResourceRecord] = []
        for row in rows:
            name = packed_name(f"{row.Node.Node}.node.{row.Node.Datacenter}.{self.domain}".lower())
            # A name that is no host name could not be looked up by those who are told it.
            if name is None or not is_host_name(row.Node.Node):
                continue
            servers.append(m.name_record(domain, m.NS, self.settings.node_ttl_s, name))
            packed = packed_address(row.Node.Address)
            if packed is not None:
                glue.append(m.address_record(name, self.settings.node_ttl_s, packed))
            if len(servers) == NAME_SERVERS_MAX:
                break
        return servers, glue

    def address(self, text: str, labels: list[str]) -> None:
        packed = hex_address(text)
        if packed is None:
            self.name_error()
        elif packed:
            owner = packed_name(".".join([*labels, self.domain])) or self.query.name
            self.reply.answer.append(m.address_record(owner, self.settings.node_ttl_s, packed))

    # ------------------------------------------------------------------ nodes

    def node(self, name: str, depth: int) -> None:
        _, node = self.reads.node(self.answer.watch, name)
        if node is None:
            self.name_error()
            return
        kind, ttl_s = self.query.kind, self.settings.node_ttl_s
        if kind in _NODE_ADDRESS_KINDS:
            address = node_address_of_use(node, _ACCEPTED.get(kind, Accept.ANYTHING), abroad=self.abroad)
            packed = packed_address(address)
            if packed is None:
                target = packed_name(address) if address else None
                if target is not None:
                    self.reply.answer.append(m.name_record(self.query.name, m.CNAME, ttl_s, target))
                    self.reply.answer += self.behind(target, depth)
            elif kind == m.ANY or (kind == m.A) == (len(packed) == 4):
                self.reply.answer.append(m.address_record(self.query.name, ttl_s, packed))
        if kind in (m.TXT, m.ANY):
            self.reply.answer += metadata_records(self.query.name, node, ttl_s)
        elif self.settings.node_meta_txt:
            self.reply.additional += metadata_records(self.query.name, node, ttl_s)

    def resolved(self, target: bytes, ttl_s: int, depth: int) -> list[ResourceRecord]:
        """The CNAMEs and addresses behind the name that a service is at; they live as long as the service's answer."""
        kept = []
        addresses = 0
        for record in self.behind(target, depth):
            if record.kind == m.CNAME:
                kept.append(record._replace(ttl_s=ttl_s))
            elif record.kind in (m.A, m.AAAA):
                kept.append(record._replace(ttl_s=ttl_s))
                addresses += 1
                if addresses == RESOLVED_ADDRESSES_MAX and self.query.edns is None:
                    break
        return kept

    def behind(self, target: bytes, depth: int) -> list[ResourceRecord]:
        """All that is known of a name, ours or others'."""
        followed, key = self.answer.followed, target.lower()
        records = followed.get(key)
        if records is None:
            followed[key] = []
            records = followed[key] = self.follow(target, depth)
        return records

    def follow(self, target: bytes, depth: int) -> list[ResourceRecord]:
        labels = [label.lower() for label in m.unpack_name(target)]
        found = strip_domain(labels, self.answerer.domains)
        if found is not None and found[0]:
            if depth < 1:
                return []
            inner = Answer(self.answer.outside)
            inner.watch, inner.followed = self.answer.watch, self.answer.followed
            query = DnsQuery(0, 0, target, m.ANY, m.IN, None)
            run = _Run(self.answerer, query, inner, tcp=False)
            run.dispatch(found[0], depth - 1)
            self.answer.turns |= inner.turns
            self.answer.lasting &= inner.lasting
            self.answer.wanted |= inner.wanted
            return inner.reply.answer
        if not self.settings.recursors:
            return []
        records = self.answer.outside.get(target)
        if records is None:
            self.answer.wanted.add(target)
            return []
        return records

    # ------------------------------------------------------------------ services

    def healthy(self, rows: list[CheckServiceNode]) -> list[CheckServiceNode]:
        """Instances without a critical check; with only_passing, without a warning one either."""
        if self.settings.only_passing:
            return [row for row in rows if all(check.Status == HEALTH_PASSING for check in row.Checks or ())]
        return [row for row in rows if all(check.Status != HEALTH_CRITICAL for check in row.Checks or ())]

    def shuffled(self, rows: list[CheckServiceNode]) -> list[CheckServiceNode]:
        if len(rows) > 1:
            self.answer.turns = True
            rows = list(rows)
            self.answerer.rng.shuffle(rows)
        return rows

    def service(self, lookup: Lookup, depth: int) -> None:
        connect = lookup.kind is NameKind.CONNECT
        tags = [lookup.tag] if lookup.tag else None
        _, rows = self.reads.check_service_nodes(self.answer.watch, lookup.name, tags, connect=connect)
        self.instances(self.shuffled(self.healthy(rows)), self.settings.ttl_of(lookup.name), depth)

    def prepared(self, name: str, depth: int) -> None:
        """The answer of a prepared query, in the order in which it gives its instances."""
        self.reply.subnet_specific = True
        agent = QuerySource(Datacenter=self.settings.datacenter, Node=self.settings.node_name)
        try:
            found = self.executed(question(name, agent, self.query.client, self.query.edns))
        except NotFound:
            self.name_error()
            return
        self.datacenter = found.Datacenter
        rows = found.Nodes or []
        self.answer.turns |= len(rows) > 1
        ttl = ttl_s(found)
        self.instances(rows, self.settings.ttl_of(found.Service) if ttl is None else ttl, depth)

    def executed(self, args: PreparedQueryExecuteRequest) -> PreparedQueryExecuteResponse:
        """Raises NotFound when there is no such query, NoPathToDatacenter, ConsulError."""
        answerer = self.answerer
        if answerer.queries is not None and self.datacenter == self.settings.datacenter:
            reply, lasting = answerer.queries.execute(self.answer.watch, args)
            self.answer.lasting &= lasting
            if reply is not None:
                return reply
        if answerer.elsewhere is None:
            raise NoPathToDatacenter()
        return answerer.elsewhere(self.datacenter).execute(args)

    def instances(self, rows: list[CheckServiceNode], ttl_s: int, depth: int) -> None:
        """The answer for ``rows`` in their order, cut to size."""
        if not rows:
            self.name_error()
            return
        if self.query.kind == m.SRV:
            self.service_records(rows, ttl_s, depth)
        else:
            self.service_addresses(rows, ttl_s, depth)
        settings, reply = self.settings, self.reply
        trim(
            self.query, reply, tcp=self.tcp, compress=settings.compress,
            udp_answer_limit=settings.udp_answer_limit, truncate=settings.enable_truncate,
        )  # fmt: skip
        if not reply.answer and not reply.truncated:
            self.add_soa(reply.authority)

    def service_addresses(self, rows: list[CheckServiceNode], ttl_s: int, depth: int) -> None:
        """Addresses of the instances; when none has one, the first instance's CNAME."""
        answer = self.reply.answer
        aliases: list[ResourceRecord] = []
        seen: set[ResourceRecord] = set()
        count, limit = 0, self.settings.a_record_limit
        for row in rows:
            records, _ = self.instance(row, ttl_s, depth)
            if records and records[0].kind == m.CNAME:
                aliases = aliases or records
                continue
            fresh = [record for record in records if record not in seen]
            seen.update(fresh)
            answer += fresh
            count += bool(fresh)
            if limit and count == limit:
                break
        if not answer:
            answer += aliases

    def service_records(self, rows: list[CheckServiceNode], ttl_s: int, depth: int) -> None:
        reply, datacenter = self.reply, self.datacenter
        seen = set()
        for row in rows:
            identity = (row.Node.Node, row.Service.Address, row.Service.Port)
            if identity in seen:
                continue
            seen.add(identity)
            records, extra = self.instance(row, ttl_s, depth)
            reply.answer += records
            reply.additional += extra
            if self.settings.node_meta_txt:
                owner = packed_name(f"{row.Node.Node}.node.{datacenter}.{self.domain}")
                if owner is not None:
                    reply.additional += metadata_records(owner, row.Node, ttl_s)

    def instance(
        self, row: CheckServiceNode, ttl_s: int, depth: int
    ) -> tuple[list[ResourceRecord], list[ResourceRecord]]:
        """Records of one instance for the question's type, and those for the additional section."""
        accept, abroad = _ACCEPTED.get(self.query.kind, Accept.ANYTHING), self.abroad
        text = service_address(row.Service, accept, abroad=abroad)
        if not text and has_address(row.Service, abroad=abroad):
            return [], []
        packed = packed_address(text)
        if packed is not None:
            return self.located(row, packed, self.named_by_address(packed), ttl_s)
        if text and packed_name(text) == self.query.name and packed_address(node_address(row.Node)) is not None:
            text = ""  # to itself it leads nowhere
        if not text:
            text = node_address_of_use(row.Node, accept, abroad=abroad)
            packed = packed_address(text)
            if packed is not None:
                by_name = text == row.Node.Address  # which the node's name leads to
                target = f"{row.Node.Node}.node.{self.datacenter}.{self.domain}"
                return self.located(row, packed, target if by_name else self.named_by_address(packed), ttl_s)
        if not text:
            return [], []
        name = packed_name(text)
        if name is None:
            return [], []
        if self.query.kind != m.SRV:
            alias = m.name_record(self.query.name, m.CNAME, ttl_s, name)
            return [alias, *self.resolved(name, ttl_s, depth)], []
        return [self.srv(row, name, ttl_s)], self.resolved(name, ttl_s, depth)

    def named_by_address(self, packed: bytes) -> str:
        """The name that an address has by itself."""
        return f"{packed.hex()}.addr.{self.datacenter}.{self.domain}"

    def located(
        self, row: CheckServiceNode, packed: bytes, target_text: str, ttl_s: int
    ) -> tuple[list[ResourceRecord], list[ResourceRecord]]:
        """An instance with an IP address."""
        kind = self.query.kind
        if kind == m.SRV:
            target = packed_name(target_text)
            if target is None:
                return [], []
            return [self.srv(row, target, ttl_s)], [m.address_record(target, ttl_s, packed)]
        if kind in (_ADDRESS_KINDS_V4 if len(packed) == 4 else _ADDRESS_KINDS_V6):
            return [m.address_record(self.query.name, ttl_s, packed)], []
        return [], []

    def srv(self, row: CheckServiceNode, target: bytes, ttl_s: int) -> ResourceRecord:
        port = service_port(row.Service, abroad=self.abroad)
        return m.srv_record(self.query.name, ttl_s, weight(row), port, target)
