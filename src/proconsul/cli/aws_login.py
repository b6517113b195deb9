"""A secret to log in with for what runs in AWS: a request for its identity, signed with its own keys.

Keys are those of the environment, or of the shared credentials file (AWS documentation: signature version 4).
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from proconsul.cli.command import Failure

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_SERVER_ID, _ENTITY = "X-Consul-IAM-ServerID", "X-Consul-IAM-GetEntity-"


class Keys(NamedTuple):
    access: str
    secret: str
    session: str = ""


def keys_of(environment: Mapping[str, str]) -> Keys:
    """The keys of whoever runs this; raises :class:`Failure` when there are none."""
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        session = environment.get("AWS_SESSION_TOKEN", "")
        return Keys(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], session)
    path = environment.get("AWS_SHARED_CREDENTIALS_FILE") or str(Path.home() / ".aws" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        section = parser[environment.get("AWS_PROFILE") or "default"]
        return Keys(
            section["aws_access_key_id"], section["aws_secret_access_key"], section.get("aws_session_token", "")
        )
    except (KeyError, configparser.Error, OSError, UnicodeDecodeError):
        raise Failure(
            "No AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a credentials file"
        ) from None


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signed(
    keys: Keys, url: str, region: str, service: str, form: str, more: Mapping[str, str], now_s: float
) -> dict[str, str]:  # fmt: skip
    """The headers of a signed POST of ``form``, all of which are signed."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    header = {"Content-Type": _FORM, "Host": urlsplit(url).netloc, "X-Amz-Date": moment, **more}
    if keys.session:
        header["X-Amz-Security-Token"] = keys.session
    lowered = {name.lower(): " ".join(value.split()) for name, value in header.items()}
    names = sorted(lowered)
    lines = "".join(f"{name}:{lowered[name]}\n" for name in names)
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    request = f"POST\n/\n\n{lines}\n{';'.join(names)}\n{hashlib.sha256(form.encode()).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + keys.secret.encode()
    for part in (moment[:8], region, service, "aws4_request"):
        key = _mac(key, part)
    header["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={_mac(key, text).hex()}"
    )
    return header


class Entity(NamedTuple):
    """The role or user whose details are to be looked up. ``action``: GetRole or GetUser."""

    action: str
    name: str


def bearer_token(
    keys: Keys, region: str, *, sts: str = "", iam: str = "", server_id: str = "", entity: Entity | None = None,
    now_s: float | None = None,
) -> str:  # fmt: skip
    """The secret. sts, iam: addresses of AWS, "" for those of ``region``. server_id: what the method demands."""
    now_s, more = time.time() if now_s is None else now_s, dict[str, str]()
    sts, iam = sts or f"https://sts.{region}.amazonaws.com/", iam or "https://iam.amazonaws.com/"
    if server_id:
        more[_SERVER_ID] = server_id
    if entity is not None:
        subject = "RoleName" if entity.action == "GetRole" else "UserName"
        form = urlencode({"Action": entity.action, subject: entity.name, "Version": "2010-05-08"})
        header = _signed(keys, iam, "us-east-1" if "amazonaws" in iam else region, "iam", form, {}, now_s)
        parts = {"Method": "POST", "URL": iam, "Body": form, "Headers": json.dumps({k: [v] for k, v in header.items()})}
        more |= {_ENTITY + part: value for part, value in parts.items()}
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    header = _signed(keys, sts, region, "sts", form, more, now_s)

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return json.dumps({
        "iam_http_request_method": "POST", "iam_request_url": encoded(sts), "iam_request_body": encoded(form),
        "iam_request_headers": encoded(json.dumps({name: [value] for name, value in header.items()})),
    })  # fmt: skip


def region_of(given: str, environment: Mapping[str, str] = os.environ) -> str:
    """The region, from a flag or the environment."""
    return given or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
