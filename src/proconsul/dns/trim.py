"""How much of an answer is sent (Consul docs: dns_config): counts first, then bytes. Pure.

Cutting an SRV answer keeps of the additional section one record for each target that is left. Without EDNS the size
after a cut by count is measured as if nothing were compressed, and seven bytes are always left free. The original
counts CNAMEs as answers and forgets the OPT record, so that its answers may have no address or four bytes too many.
"""

from __future__ import annotations

from proconsul.dns.message import CNAME, SRV, DnsQuery, DnsReply, ResourceRecord, encode, opt_bytes

UDP_BYTES_DEFAULT = 512
UDP_ANSWERS_MAX = 8
UDP_BYTES_SPARE = 7
# Records beyond these do not fit 64 KiB anyway; cutting by count first makes measuring cheap.
TCP_ANSWERS_MAX = 4096
TCP_SRV_ANSWERS_MAX = 1024
TCP_BYTES_MAX = 65535 - 12
# Over by more than this, the number that fits is searched by halves; below, records go one at a time.
SEARCH_BYTES = 100
CLOSE_ENOUGH_BYTES = 10


class _Trimmer:
    def __init__(self, query: DnsQuery, reply: DnsReply, compress: bool) -> None:
        # The OPT record is never cut; its size is taken off the limit.
        self.query = query._replace(edns=None)
        self.reply = reply
        self.compress = compress
        self.index: dict[bytes, ResourceRecord] = {}
        self.original = reply.answer
        for record in reply.additional:
            self.index.setdefault(record.owner.lower(), record)

    def size(self) -> int:
        return len(encode(self.query, self.reply, compress=self.compress))

    def cut(self, answers: list[ResourceRecord], count: int) -> None:
        self.reply.answer = answers[:count]
        if self.index:
            self.reply.additional = self.of_targets()

    def of_targets(self) -> list[ResourceRecord]:
        kept = []
        resolved = set()
        for answer in self.reply.answer:
            if answer.kind != SRV:
                continue
            target = answer.names[0].lower()
            while target not in resolved:
                resolved.add(target)
                record = self.index.get(target)
                if record is None:
                    break
                kept.append(record)
                if record.kind != CNAME:
                    break
                target = record.names[0].lower()
        return kept

    def search(self, limit: int) -> int:
        """A number of answers that fits ``limit``, by halving the interval."""
        answers = self.reply.answer
        low, high = 0, len(answers) + 1
        while high - low > 1:
            middle = low + (high - low) // 2
            self.cut(answers, middle)
            size = self.size()
            if size > limit:
                high = middle
                continue
            if limit - size < CLOSE_ENOUGH_BYTES:
                return middle
            low = middle
        return low

    def shrink(self, limit: int, least: int) -> None:
        """Drop answers until the message fits, but keep ``least``."""
        size = self.size()
        while len(self.reply.answer) > least and size > limit:
            answers = self.reply.answer
            count = max(self.search(limit), least) if size - limit > SEARCH_BYTES else len(answers) - 1
            self.cut(answers, count)
            size = self.size()
            if count == len(answers):
                break


def trim(query: DnsQuery, reply: DnsReply, *, tcp: bool, compress: bool, udp_answer_limit: int, truncate: bool) -> None:
    """Cut ``reply`` to what the transport carries; ``truncate`` sets TC when something was cut."""
    trimmer = _Trimmer(query, reply, compress)
    answers = len(reply.answer)
    if tcp:
        most = TCP_SRV_ANSWERS_MAX if query.kind == SRV else TCP_ANSWERS_MAX
        if answers > most:
            trimmer.cut(reply.answer, most)
        trimmer.shrink(TCP_BYTES_MAX, 0)
    else:
        limit = udp_limit(query)
        most = min(UDP_ANSWERS_MAX, udp_answer_limit)
        if limit == UDP_BYTES_DEFAULT:
            count = _with_aliases(reply.answer, most)
            if answers > count:
                trimmer.compress = False
                trimmer.cut(reply.answer, count)
        trimmer.shrink(limit - UDP_BYTES_SPARE, 1)
        trimmer.shrink(limit - opt_bytes(query), 1)
    if len(reply.answer) < answers and truncate:
        reply.truncated = True


def udp_limit(query: DnsQuery) -> int:
    """Bytes that the client takes over UDP."""
    return UDP_BYTES_DEFAULT if query.edns is None else max(UDP_BYTES_DEFAULT, query.edns.udp_bytes)


def _with_aliases(answers: list[ResourceRecord], most: int) -> int:
    """How many records hold ``most`` answers. CNAMEs lead to answers and are none: were they counted, a chain of three
    would leave the client without an address."""
    left = most
    for number, record in enumerate(answers):
        if record.kind != CNAME:
            if left <= 0:
                return number
            left -= 1
    return len(answers)


def fit(query: DnsQuery, reply: DnsReply, *, compress: bool) -> None:
    """Cut what is still too long for UDP, so that no answer is longer than its client takes: first what was not asked
    for, then answers from the end, which sets TC, as the client has to come back over TCP for the rest."""
    limit = udp_limit(query)

    def too_long() -> bool:
        return len(encode(query, reply, compress=compress)) > limit

    for section in (reply.additional, reply.authority, reply.answer):
        # Halving finds the most records that fit with few encodings.
        if not too_long():
            return
        records = list(section)
        low, high = 0, len(records)
        while low < high:
            middle = (low + high + 1) // 2
            section[:] = records[:middle]
            if too_long():
                high = middle - 1
            else:
                low = middle
        section[:] = records[:low]
        reply.truncated |= section is reply.answer
