# Made by scripts/make_blocking_client.py of ../aio/transaction.py: change that one.
"""/v1/txn (HTTP API: txn)."""

from __future__ import annotations

from typing import Final, Unpack

from proconsul.client.blocking.caller import Caller
from proconsul.client.decoding import decode, encode
from proconsul.client.errors import ConflictError, TransactionFailed
from proconsul.client.operations import Operations
from proconsul.client.options import WriteOptions, write_query
from proconsul.client.types import TransactionResults
from proconsul.client.wire import Call
from proconsul.features.txn.model import TxnResult

__all__ = ["Transaction"]

_FAILED: Final = frozenset({409})
_READS: Final = frozenset({"get", "get-tree", "check-index", "check-session", "check-not-exists"})


class Transaction(Operations):
    """Operations, and their doing: ``client.transaction().set("a", "1").delete("b").commit()``."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._call = caller

    def commit(self, **options: Unpack[WriteOptions]) -> list[TxnResult]:
        """Do all of it; what was read or written, in the order of the operations. Of deletions nothing is said.

        Raises TransactionFailed with what stood against it; then nothing was done.
        """
        operations = self.as_json()
        call = Call(
            "PUT", "/v1/txn", write_query(options, {}), encode(operations), {}, options.get("token"),
            all(one.get("KV", {}).get("Verb") in _READS for one in operations), options.get("timeout"),
        )  # fmt: skip
        answer = self._call.perform(call, accept=_FAILED)
        found = decode(answer.body, TransactionResults)
        if answer.status == 409:
            failures = [(one.OpIndex, one.What) for one in found.Errors or ()]
            raise TransactionFailed(failures) if failures else ConflictError("nothing was done", answer.status)
        return found.Results or []
