"""Type ``kubernetes``: a service account's token, which the Kubernetes API is asked about (auth-methods/kubernetes).

A review of the token names the service account; an annotation of that may give it another name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from proconsul.engine.http.url import UrlError, parse
from proconsul.engine.wire import gojson
from proconsul.features.acl.auth import jose, settings
from proconsul.features.acl.auth.common import AuthError, Clock, Verified
from proconsul.features.acl.auth.jose import JoseError
from proconsul.features.acl.auth.remote import Remote, RemoteAnswer, json_of
from proconsul.features.acl.auth.settings import TEXT

FIELDS = {"Host": TEXT, "CACert": TEXT, "ServiceAccountJWT": TEXT}
_ANNOTATION = "consul.hashicorp.com/service-name"
_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
_PREFIX = ["system", "serviceaccount"]


class ServiceAccount(msgspec.Struct, frozen=True):
    namespace: str
    name: str
    uid: str


class KubernetesFields(msgspec.Struct, frozen=True):
    """What selectors look at."""

    serviceaccount: ServiceAccount


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


class KubernetesMethod:
    """Implements `common.Validator`. ``host``: the API's base address. ``token``: ours, to ask it with."""

    row_type: type[msgspec.Struct] = KubernetesFields

    def __init__(self, host: str, token: str, remote: Remote) -> None:
        self._host, self._token, self._remote = host.rstrip("/"), token, remote
        self.blank: Mapping[str, str] = {f"serviceaccount.{name}": "" for name in ServiceAccount.__struct_fields__}

    async def check(self) -> None:
        """See `common.Validator`: the API is asked when somebody logs in."""

    async def login(self, bearer: str) -> Verified:
        """See `common.Validator`."""
        try:
            jose.parse(bearer)
        except JoseError as error:
            raise AuthError(f"failed to parse and validate JWT: {error}") from None
        account = await self._review(bearer)
        name = await self._annotated(account)
        if name:
            account = ServiceAccount(account.namespace, name, account.uid)
        variables = {f"serviceaccount.{field}": getattr(account, field) for field in account.__struct_fields__}
        return Verified(KubernetesFields(account), variables)

    async def _review(self, bearer: str) -> ServiceAccount:
        body = gojson.dumps({
            "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {"creationTimestamp": None},
            "spec": {"token": bearer}, "status": {"user": {}},
        })  # fmt: skip
        answer = await self._remote.ask(
            self._host + _REVIEWS, method="POST", header=self._header("application/json"), body=body
        )
        status = _dict(_document(answer).get("status"))
        if _string(status.get("error")):
            raise AuthError(f"lookup failed: {status['error']}")
        if status.get("authenticated") is not True:
            raise AuthError("lookup failed: service account jwt not valid")
        user = _dict(status.get("user"))
        parts = _string(user.get("username")).split(":")
        if len(parts) != 4 or parts[:2] != _PREFIX:
            raise AuthError("lookup failed: unexpected username format")
        return ServiceAccount(parts[2], parts[3], _string(user.get("uid")))

    async def _annotated(self, account: ServiceAccount) -> str:
        """The name that the service account asks to have here, "" for its own. Raises AuthError."""
        path = f"/api/v1/namespaces/{quote(account.namespace, safe='')}/serviceaccounts/{quote(account.name, safe='')}"
        try:
            document = _document(await self._remote.ask(self._host + path, header=self._header()))
        except AuthError as error:
            raise AuthError(f"annotation lookup failed: {error}") from None
        annotations = _dict(_dict(document.get("metadata")).get("annotations"))
        return _string(annotations.get(_ANNOTATION))

    def _header(self, content_type: str = "") -> dict[str, str]:
        header = {"Authorization": f"Bearer {self._token}", "Accept": "application/json, */*"}
        return header | {"Content-Type": content_type} if content_type else header


def _document(answer: RemoteAnswer) -> dict[str, Any]:
    """What the API says. Raises AuthError with its words when it refuses."""
    try:
        found = _dict(json_of(answer, "the Kubernetes API's answer is no JSON"))
    except AuthError:
        if 200 <= answer.status < 300:
            raise
        found = {}
    if 200 <= answer.status < 300 and found.get("kind") != "Status":
        return found
    message = _string(found.get("message")) or f"the Kubernetes API answered {answer.status_text}"
    raise AuthError(message)


def make(config: Mapping[str, Any], clock: Clock) -> KubernetesMethod:
    """See `common.Make`."""
    values = settings.decode(config, FIELDS)
    if not values["Host"]:
        raise AuthError("Config.Host is required")
    if not values["CACert"]:
        raise AuthError("Config.CACert is required")
    remote = Remote(
        values["CACert"],
        "error parsing kubernetes ca cert: data does not contain any valid RSA or ECDSA certificates",
    )
    token = values["ServiceAccountJWT"]
    if not token:
        raise AuthError("Config.ServiceAccountJWT is required")
    try:
        jose.parse(token)
    except JoseError as error:
        raise AuthError(f"Config.ServiceAccountJWT is not a valid JWT: {error}") from None
    host = values["Host"] if "://" in values["Host"] else "https://" + values["Host"]
    try:
        parse(host)
    except UrlError as error:
        raise AuthError(str(error)) from None
    return KubernetesMethod(host, token, remote)
