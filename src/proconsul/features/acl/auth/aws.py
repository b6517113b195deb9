"""Type ``aws-iam``: a request to AWS that whoever logs in has signed, and that AWS is asked (auth-methods/aws-iam).

The secret is a signed ``sts:GetCallerIdentity`` request as JSON. Only that request, to AWS or the configured endpoint,
with headers that are known, is passed on; AWS says whose signature it is. With ``EnableIAMEntityDetails`` a second
request, which is a part of what was signed, tells the tags and the path of the role or user.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import msgspec

from proconsul.engine.wire import gojson
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth import settings
from proconsul.features.acl.auth.common import AuthError, Clock, Verified, document
from proconsul.features.acl.auth.remote import Remote, RemoteAnswer
from proconsul.features.acl.auth.settings import FLAG, NUMBER, TEXT, TEXTS
from proconsul.features.acl.secrets import same_secret

FIELDS = {
    "BoundIAMPrincipalARNs": TEXTS, "EnableIAMEntityDetails": FLAG, "IAMEntityTags": TEXTS,
    "ServerIDHeaderValue": TEXT, "MaxRetries": NUMBER, "IAMEndpoint": TEXT, "STSEndpoint": TEXT,
    "AllowedSTSHeaderValues": TEXTS,
}  # fmt: skip
# As the original writes them; the rest of their names says what part of the second request they carry.
SERVER_ID = "X-Consul-IAM-ServerID"
_ENTITY = "X-Consul-IAM-GetEntity-"
_STS_HOST = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?", re.IGNORECASE)
_IAM_HOST = re.compile(r"iam(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?", re.IGNORECASE)
_STS_VERSION, _IAM_VERSION = "2011-06-15", "2010-05-08"
_HEADERS = frozenset(name.lower() for name in (
    "Authorization", "Content-Length", "Content-Type", "Host", "User-Agent", "Accept-Encoding", "X-Amz-Algorithm",
    "X-Amz-Content-Sha256", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Signature",
    "X-Amz-SignedHeaders", SERVER_ID, *(_ENTITY + part for part in ("Method", "URL", "Headers", "Body")),
))  # fmt: skip
_SIGNED = re.compile(r"SignedHeaders=([^,\s]+)")
# More would only keep whoever logs in waiting.
_RETRIES_MAX = 5
_ENTITY_ACTIONS = frozenset({"GetRole", "GetUser"})


class AwsFields(msgspec.Struct, frozen=True):
    """What selectors look at."""

    entity_name: str
    entity_id: str
    account_id: str
    entity_path: str
    entity_tags: dict[str, str]


class SignedRequest(NamedTuple):
    """A signed request, as whoever logs in has sent it."""

    url: str
    header: dict[str, str]
    body: bytes


class Principal(NamedTuple):
    """A role or a user. ``arn``: of roles without path, unless AWS was asked for the details."""

    arn: str
    account_id: str
    name: str
    entity_id: str
    path: str = ""
    tags: Mapping[str, str] = {}


# ---------------------------------------------------------------------------------------------------- the secret


def _text_of(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str):
        raise AuthError(f"invalid bearer token: missing {name}")
    return found


def _unbase64(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AuthError(f"invalid bearer token: {name} is no base64") from None


def parse_bearer(bearer: str) -> SignedRequest:
    """The signed request in a secret. Raises AuthError."""
    try:
        asked = document(bearer.encode("utf-8", "surrogateescape"))
    except gojson.JSONError as error:
        raise AuthError(f"invalid bearer token: {error}") from None
    if not isinstance(asked, dict):
        raise AuthError("invalid bearer token: no JSON object")
    if _text_of(asked, "iam_http_request_method") != "POST":
        raise AuthError('iam_http_request_method must be "POST"')
    url = _unbase64(_text_of(asked, "iam_request_url"), "iam_request_url").decode("utf-8", "replace")
    body = _unbase64(_text_of(asked, "iam_request_body"), "iam_request_body")
    header = _unbase64(_text_of(asked, "iam_request_headers"), "iam_request_headers")
    return SignedRequest(url, _header(header, "iam_request_headers"), body)


def _header(text: bytes, where: str) -> dict[str, str]:
    try:
        found = document(text)
    except gojson.JSONError as error:
        raise AuthError(f"invalid bearer token: {where}: {error}") from None
    if not isinstance(found, dict):
        raise AuthError(f"invalid bearer token: {where}: no JSON object")
    header: dict[str, str] = {}
    for name, value in found.items():
        values = value if isinstance(value, list) else [value]
        if len(values) != 1 or not isinstance(values[0], str) or name.lower() in header:
            raise AuthError(f"invalid bearer token: {where}: {quoted(name)} has no single value")
        header[name.lower()] = values[0]
    return header


def check_url(url: str, endpoint: str, hosts: re.Pattern[str]) -> None:
    """Refuse addresses that are not AWS's, nor ``endpoint`` when that is configured. Raises AuthError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AuthError(f"invalid request URL: {quoted(url)}") from None
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise AuthError(f"invalid request URL: {quoted(url)}: no path, query or user may be in it")
    if endpoint:
        wanted = urlsplit(endpoint)
        if (parts.scheme, parts.hostname, port) != (wanted.scheme, wanted.hostname, wanted.port):
            raise AuthError(f"invalid request URL: {quoted(url)} is not the configured endpoint")
    elif parts.scheme != "https" or port not in (None, 443) or hosts.fullmatch(parts.hostname or "") is None:
        raise AuthError(f"invalid request URL: {quoted(url)} is no address of AWS")


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except (ValueError, UnicodeDecodeError):
        raise AuthError("invalid request body") from None
    if len(dict(pairs)) != len(pairs):
        raise AuthError("invalid request body: a parameter is repeated")
    return dict(pairs)


def signed_headers(header: Mapping[str, str]) -> frozenset[str]:
    """The names of the headers that the signature covers, in lower case."""
    found = _SIGNED.search(header.get("authorization", ""))
    return frozenset(found[1].lower().split(";")) if found is not None else frozenset()


# ---------------------------------------------------------------------------------------------------- AWS's answers


def _xml(answer: RemoteAnswer) -> ElementTree.Element:
    if answer.status != 200:
        raise AuthError(f"received error code {answer.status} from AWS: {_aws_error(answer)}")
    if b"<!DOCTYPE" in answer.body or b"<!ENTITY" in answer.body:
        raise AuthError("AWS's answer cannot be read: it has a document type")
    try:
        return ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        raise AuthError(f"AWS's answer cannot be read: {error}") from None


def _aws_error(answer: RemoteAnswer) -> str:
    found = re.search(rb"<Message>([^<]{1,256})</Message>", answer.body)
    return found[1].decode("utf-8", "replace") if found is not None else answer.status_text


def _find(node: ElementTree.Element, name: str) -> str:
    """The text of the first element of a name, in whatever namespace; "" when there is none."""
    for element in node.iter():
        if element.tag.rpartition("}")[2] == name:
            return (element.text or "").strip()
    return ""


def principal_of(answer: RemoteAnswer) -> Principal:
    """Whose signature it is. Raises AuthError."""
    node = _xml(answer)
    arn, user_id, account = _find(node, "Arn"), _find(node, "UserId"), _find(node, "Account")
    parts = arn.split(":")
    kind, _, rest = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    partition = parts[1] if len(parts) == 6 else ""
    entity_id = user_id.partition(":")[0]
    if kind == "assumed-role" and parts[2] == "sts" and rest.count("/") == 1:
        name = rest.partition("/")[0]
        return Principal(f"arn:{partition}:iam::{parts[4]}:role/{name}", account, name, entity_id)
    if kind == "user" and parts[2] == "iam" and rest:
        return Principal(arn, account, rest.rpartition("/")[2], entity_id)
    raise AuthError(f"unsupported principal: {quoted(arn)}")


def detailed(principal: Principal, answer: RemoteAnswer) -> Principal:
    """The same with what AWS says of its role or user. Raises AuthError when that is another one."""
    node = _xml(answer)
    kind = "Role" if principal.arn.partition(":role/")[1] else "User"
    arn, name, entity_id = (_find(node, part) for part in ("Arn", f"{kind}Name", f"{kind}Id"))
    if not arn or entity_id != principal.entity_id:
        raise AuthError("the details of the role or user are those of another one than has signed")
    tags = {
        _find(element, "Key"): _find(element, "Value")
        for parent in node.iter() if parent.tag.rpartition("}")[2] == "Tags"
        for element in parent
    }  # fmt: skip
    return principal._replace(arn=arn, name=name, path=_find(node, "Path"), tags=tags)


def is_bound(arn: str, bound: list[str]) -> bool:
    """Whether ``arn`` is one of ``bound``, or begins like one of them that ends with a star."""
    return any(arn.startswith(one[:-1]) if one.endswith("*") else arn == one for one in bound)


# ---------------------------------------------------------------------------------------------------- the method


class AwsMethod:
    """Implements `common.Validator`."""

    row_type: type[msgspec.Struct] = AwsFields

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._remote = Remote()
        self._headers = _HEADERS | {name.lower() for name in values["AllowedSTSHeaderValues"]}
        names = ["entity_name", "entity_id", "account_id"]
        if values["EnableIAMEntityDetails"]:
            names += ["entity_path", *(f"entity_tags.{tag}" for tag in values["IAMEntityTags"])]
        self.blank: Mapping[str, str] = dict.fromkeys(names, "")

    async def check(self) -> None:
        """See `common.Validator`: AWS is asked when somebody logs in."""

    async def login(self, bearer: str) -> Verified:
        """See `common.Validator`."""
        request = parse_bearer(bearer)
        self._check(request)
        entity = self._entity_request(request) if self._values["EnableIAMEntityDetails"] else None
        principal = principal_of(await self._ask(request))
        if entity is not None:
            principal = detailed(principal, await self._ask(entity))
        if not is_bound(principal.arn, self._values["BoundIAMPrincipalARNs"]):
            raise AuthError(f"IAM principal {principal.arn} is not trusted")
        return self._verified(principal)

    def _check(self, request: SignedRequest) -> None:
        """Refuse everything but the one request that is meant. Raises AuthError."""
        check_url(request.url, self._values["STSEndpoint"], _STS_HOST)
        if _form(request.body) != {"Action": "GetCallerIdentity", "Version": _STS_VERSION}:
            raise AuthError("iam_request_body must be a GetCallerIdentity request")
        for name in request.header:
            if name not in self._headers:
                raise AuthError(f"invalid request header: {name}")
        wanted = self._values["ServerIDHeaderValue"]
        if wanted:
            given = request.header.get(SERVER_ID.lower(), "")
            if not same_secret(given, wanted):
                raise AuthError(f"expected {quoted(wanted)} but got {quoted(given)} in {SERVER_ID}")
            self._require_signed(request, SERVER_ID)

    @staticmethod
    def _require_signed(request: SignedRequest, name: str) -> None:
        if name.lower() not in signed_headers(request.header):
            raise AuthError(f"header {name} is not signed")

    def _entity_request(self, request: SignedRequest) -> SignedRequest:
        """The second request, in headers of the first. Raises AuthError."""
        parts = {part: request.header.get(f"{_ENTITY}{part}".lower()) for part in ("Method", "URL", "Headers", "Body")}
        for part, value in parts.items():
            if value is None:
                raise AuthError(f"header {_ENTITY}{part} is missing")
            self._require_signed(request, _ENTITY + part)
        if parts["Method"] != "POST":
            raise AuthError(f'{_ENTITY}Method must be "POST"')
        url = parts["URL"] or ""
        check_url(url, self._values["IAMEndpoint"], _IAM_HOST)
        body = (parts["Body"] or "").encode("utf-8", "surrogateescape")
        form = _form(body)
        action = form.pop("Action", "")
        subject = form.pop("RoleName" if action == "GetRole" else "UserName", "")
        if action not in _ENTITY_ACTIONS or form != {"Version": _IAM_VERSION} or not subject:
            raise AuthError(f"{_ENTITY}Body must be a GetRole or GetUser request")
        header = _header((parts["Headers"] or "").encode("utf-8", "surrogateescape"), _ENTITY + "Headers")
        for name in header:
            if name not in _HEADERS:
                raise AuthError(f"invalid request header: {name}")
        return SignedRequest(url, header, body)

    async def _ask(self, request: SignedRequest) -> RemoteAnswer:
        """AWS's answer; as often as configured again when it has none. Raises AuthError."""
        header = {name: value for name, value in request.header.items() if name != "content-length"}
        retries = max(0, min(self._values["MaxRetries"], _RETRIES_MAX))
        while True:
            try:
                answer = await self._remote.ask(request.url, method="POST", header=header, body=request.body)
            except AuthError:
                if not retries:
                    raise
            else:
                if answer.status < 500 or not retries:
                    return answer
            retries -= 1

    def _verified(self, principal: Principal) -> Verified:
        tags = {tag: principal.tags[tag] for tag in self._values["IAMEntityTags"] if tag in principal.tags}
        variables = {
            "entity_name": principal.name, "entity_id": principal.entity_id, "account_id": principal.account_id,
            "entity_path": principal.path, **{f"entity_tags.{tag}": value for tag, value in tags.items()},
        }  # fmt: skip
        fields = AwsFields(principal.name, principal.entity_id, principal.account_id, principal.path, tags)
        return Verified(fields, dict(self.blank) | {name: variables[name] for name in self.blank if name in variables})


def make(config: Mapping[str, Any], clock: Clock) -> AwsMethod:
    """See `common.Make`."""
    values = settings.decode(config, FIELDS)
    bound = values["BoundIAMPrincipalARNs"]
    if not bound:
        raise AuthError("BoundIAMPrincipalARNs is required and must have at least 1 entry")
    if values["IAMEntityTags"] and not values["EnableIAMEntityDetails"]:
        raise AuthError("Must set EnableIAMEntityDetails=true to use IAMEntityTags")
    for arn in bound:
        star = arn.find("*")
        if star >= 0 and star != len(arn) - 1:
            raise AuthError(f"Wildcards are only supported at the end of BoundIAMPrincipalARNs: {quoted(arn)}")
        if star >= 0 and not values["EnableIAMEntityDetails"]:
            raise AuthError("Must set EnableIAMEntityDetails=true to use wildcards in BoundIAMPrincipalARNs")
    for name in ("STSEndpoint", "IAMEndpoint"):
        if values[name] and urlsplit(values[name]).scheme not in ("http", "https"):
            raise AuthError(f"{name} is no address: {quoted(values[name])}")
    return AwsMethod(values)
