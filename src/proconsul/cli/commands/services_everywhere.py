"""``consul services deregister -everywhere``: removes a service wherever it is registered; ours.

What an agent has registered comes back when it is removed from the catalog alone. So each instance is removed where it
is owned: at the agent of its node, if that is alive, else in the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import cast

from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import Failure, explain
from proconsul.cli.output import Ui
from proconsul.client.gojson import Json
from proconsul.engine.wire.hostport import join_host_port, url_host_and_port

# Of members, as /v1/agent/members has them.
ALIVE, FAILED = 1, 4
# How long an agent on another host may take to say who it is.
OWNER_TIMEOUT_S = 5.0
DEFAULT_PORT = "8500"

Row = Mapping[str, Json]


class Everywhere:
    """``client`` asks the agent of the command line."""

    def __init__(self, client: Client, ui: Ui) -> None:
        self._client, self._ui = client, ui

    def deregister(self, service_id: str) -> bool:
        """Remove every instance of that ID, and say what was done. Whether all are gone for good. Raises Failure."""
        client = self._client
        if client.config.datacenter:
            raise Failure("-everywhere works in the datacenter of the agent that is asked, not with -datacenter")
        with explain("Error looking for the service: "):
            own = _name_of(client)
            members = {str(one["Name"]).lower(): one for one in _rows(client.get("/v1/agent/members"))}
            nodes = self._nodes_with(service_id)
            # What the agent has and could not tell the catalog yet.
            local = cast("Row | None", client.get("/v1/agent/services")) or {}
        if service_id in local and own.lower() not in {node.lower() for node in nodes}:
            nodes.append(own)
        if not nodes:
            self._ui.out(f"No node has a service of the ID {service_id}")
        gone = [self._remove(node, service_id, own, members.get(node.lower())) for node in nodes]
        return all(gone)

    def _nodes_with(self, service_id: str) -> list[str]:
        names = cast("Row | None", self._client.get("/v1/catalog/services")) or {}
        return [
            str(row["Node"])
            for name in names
            for row in _rows(self._client.get(f"/v1/catalog/service/{name}"))
            if row["ServiceID"] == service_id
        ]

    def _remove(self, node: str, service_id: str, own: str, member: Row | None) -> bool:
        """Whether the instance on ``node`` is gone for good."""
        try:
            if node.lower() == own.lower():
                _deregister(self._client, service_id)
                self._ui.out(f"{node}: deregistered at the agent that was asked")
            elif member is not None and member["Status"] == ALIVE:
                return self._remove_at_owner(node, service_id, str(member["Addr"]))
            else:
                body: dict[str, Json] = {"Node": node, "ServiceID": service_id}
                self._client.put("/v1/catalog/deregister", body=body).close()
                if member is not None and member["Status"] == FAILED:
                    self._ui.out(f"{node}: deregistered in the catalog; the agent of that node has failed, and will "
                                 "register it again if it comes back with it")  # fmt: skip
                    return False
                self._ui.out(f"{node}: deregistered in the catalog, as that node has no agent in the pool")
        except ApiError as error:
            self._ui.error(f"{node}: not deregistered: {error}")
            return False
        return True

    def _remove_at_owner(self, node: str, service_id: str, host: str) -> bool:
        address = self._address_at(host)
        try:
            owner = self._client_at(address)
            if _name_of(owner).lower() != node.lower():
                raise ApiError(f"another agent answers at {address}")
        except ApiError as error:
            self._ui.error(f"{node}: not deregistered, as the agent of that node owns it and would register it again, "
                           f"and cannot be asked from here: {error}\n"
                           f"    run there: consul services deregister -id={service_id}")  # fmt: skip
            return False
        _deregister(owner, service_id)
        self._ui.out(f"{node}: deregistered at its agent, {address}")
        return True

    def _address_at(self, host: str) -> str:
        """Where the agent on ``host`` answers, if it is set up as the one that is asked."""
        port = "" if self._client.unix_path else url_host_and_port(self._client.host)[1]
        return join_host_port(host, port or DEFAULT_PORT)

    def _client_at(self, address: str) -> Client:
        config = copy(self._client.config)
        config.address = f"{self._client.scheme}://{address}"
        return Client(config)


def _rows(answer: Json) -> Sequence[Row]:
    return cast("Sequence[Row] | None", answer) or ()


def _name_of(client: Client) -> str:
    """The node of an agent."""
    shown = client.ok("GET", "/v1/agent/self", timeout_s=OWNER_TIMEOUT_S).json()
    return str(cast("Mapping[str, Row]", shown)["Config"]["NodeName"])


def _deregister(client: Client, service_id: str) -> None:
    client.put(f"/v1/agent/service/deregister/{service_id}").close()
