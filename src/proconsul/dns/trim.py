"""How much of an answer is sent (Consul docs: dns_config): counts first, then bytes. Pure.

Cutting an SRV answer keeps of the additional section one record for each target that is left. Without EDNS the size
after a cut by count is measured as if nothing were compressed, and seven bytes are always left free.
"""

from __future__ import annotations

from proconsul.dns.message import CNAME, SRV, Query, Record, Reply, encode

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
    def __init__(self, query: Query, reply: Reply, compress: bool) -> None:
        # The OPT record is added after trimming and is not counted.
        self.query = query._replace(edns=None)
        self.reply = reply
        self.compress = compress
        self.index: dict[bytes, Record] = {}
        self.original = reply.answer
        for record in reply.additional:
            self.index.setdefault(record.owner.lower(), record)

    def size(self) -> int:
        return len(encode(self.query, self.reply, compress=self.compress))

    def cut(self, answers: list[Record], count: int) -> None:
        self.reply.answer = answers[:count]
        if self.index:
            self.reply.additional = self.of_targets()

    def of_targets(self) -> list[Record]:
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


def trim(query: Query, reply: Reply, *, tcp: bool, compress: bool, udp_answer_limit: int, truncate: bool) -> None:
    """Cut ``reply`` to what the transport carries; ``truncate`` sets TC when something was cut."""
    trimmer = _Trimmer(query, reply, compress)
    answers = len(reply.answer)
    if tcp:
        most = TCP_SRV_ANSWERS_MAX if query.kind == SRV else TCP_ANSWERS_MAX
        if answers > most:
            trimmer.cut(reply.answer, most)
        trimmer.shrink(TCP_BYTES_MAX, 0)
    else:
        limit = UDP_BYTES_DEFAULT
        if query.edns is not None:
            limit = max(limit, query.edns.udp_bytes)
        most = min(UDP_ANSWERS_MAX, udp_answer_limit)
        if limit == UDP_BYTES_DEFAULT and answers > most:
            trimmer.compress = False
            trimmer.cut(reply.answer, most)
        trimmer.shrink(limit - UDP_BYTES_SPARE, 1)
    if len(reply.answer) < answers and truncate:
        reply.truncated = True
