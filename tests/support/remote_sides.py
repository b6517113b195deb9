"""The remote sides of auth methods, on loopback and over TLS, speaking their own protocols: a provider of OpenID
Connect, the Kubernetes API, AWS's STS and IAM; and some that misbehave."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

Json = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    header: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


def reply(document: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


class Certificate(NamedTuple):
    """A certificate that signs itself, for loopback: as text to trust, and as files for a server."""

    pem: str
    path: Path
    key_path: Path

    @classmethod
    def made(cls, folder: Path) -> Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
        certificate = (
            builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        found = cls(
            certificate.public_bytes(serialization.Encoding.PEM).decode(), folder / "tls.pem", folder / "tls.key"
        )
        found.path.write_text(found.pem)
        found.key_path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        return found


class Side:
    """What answers requests. ``url`` is known once it is served."""

    url = ""

    def answer(self, asked: Asked) -> Reply:
        return reply({"message": "not found"}, 404)


@contextmanager
def serving(side: Side, certificate: Certificate) -> Iterator[Side]:
    """``side`` over TLS on a port of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            header = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, target.path, parse_qs(target.query), header, self.rfile.read(length))
            status, fields, body = side.answer(asked)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **fields}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """The tests say what matters."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asks may go away."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key_path)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    side.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield side
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ---------------------------------------------------------------------------------------------------- signed tokens


class Signer:
    """A key pair that signs tokens."""

    def __init__(self, key_id: str = "k1") -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self.key_id, self.key = key_id, ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key()
        self.pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def jwk(self) -> Json:
        import jwt

        found: Json = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return found | {"kid": self.key_id, "alg": "ES256", "use": "sig"}

    def sign(self, claims: Json, *, key_id: str | None = None) -> str:
        """``claims`` for the next ten minutes, unless they say otherwise; those that are None are left out."""
        import jwt

        now = int(time.time())
        full = {"exp": now + 600, "iat": now, "nbf": now} | claims
        body = json.dumps({name: value for name, value in full.items() if value is not None}).encode()
        headers = {"kid": self.key_id if key_id is None else key_id}
        return jwt.api_jws.encode(body, self.key, "ES256", headers={k: v for k, v in headers.items() if v})


class Provider(Side):
    """OpenID Connect: metadata, keys, the exchange of codes, user info. ``client``: its id and secret."""

    client = ("an id/with signs", "a secret: with signs")

    def __init__(self) -> None:
        self.signer, self.header = Signer(), dict[str, str]()
        self.asked: list[str] = []
        self.client_key: Any = None
        self.other_keys: list[Json] = []
        self.info: Json = {}
        self._codes: dict[str, tuple[Json, dict[str, str]]] = {}
        self._access: set[str] = set()

    def sign(self, claims: Json, **options: Any) -> str:
        return self.signer.sign({"iss": self.url} | claims, **options)

    def approve(self, address: str, claims: Json) -> tuple[str, str]:
        """What a browser does that is sent to ``address`` by somebody with ``claims``: the state and the code."""
        target = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(target.query).items()}
        assert address.startswith(self.url + "/authorize?"), address
        assert asked["response_type"] == "code" and asked["client_id"] == self.client[0]
        assert "openid" in asked["scope"].split()
        code = secrets.token_hex(8)
        self._codes[code] = ({"aud": self.client[0], "nonce": asked["nonce"], "sub": "me"} | claims, asked)
        return asked["state"], code

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked.path)
        if asked.path == "/jwks":
            status, fields, body = reply({"keys": [*self.other_keys, self.signer.jwk()]})
            return status, fields | self.header, body
        if asked.path == "/.well-known/openid-configuration":
            return reply({
                "issuer": self.url, "jwks_uri": self.url + "/jwks", "token_endpoint": self.url + "/token",
                "authorization_endpoint": self.url + "/authorize", "userinfo_endpoint": self.url + "/userinfo",
                "id_token_signing_alg_values_supported": ["ES256"],
            })  # fmt: skip
        if asked.path == "/other/.well-known/openid-configuration":
            return reply({"issuer": "https://other", "jwks_uri": self.url + "/jwks"})
        if asked.path == "/token" and asked.method == "POST":
            return self._exchange(asked)
        if asked.path == "/userinfo" and asked.header.get("authorization", "").removeprefix("Bearer ") in self._access:
            return reply(self.info)
        return reply({"message": "nope"}, 404)

    def _exchange(self, asked: Asked) -> Reply:
        form = asked.form()
        if not self._is_client(asked, form):
            return reply({"error": "invalid_client"}, 401)
        claims, begun = self._codes.pop(form.get("code", ""), ({}, {}))
        if not begun or form["grant_type"] != "authorization_code" or form["redirect_uri"] != begun["redirect_uri"]:
            return reply({"error": "invalid_grant"}, 400)
        if "code_challenge" in begun:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != begun["code_challenge"]:
                return reply({"error": "invalid_grant"}, 400)
        access = secrets.token_hex(8)
        self._access.add(access)
        return reply({"access_token": access, "token_type": "Bearer", "id_token": self.sign(claims)})

    def _is_client(self, asked: Asked, form: dict[str, str]) -> bool:
        if self.client_key is not None:
            import jwt

            said = jwt.decode(
                form["client_assertion"], self.client_key, ["RS256", "ES256"], audience=self.url + "/token"
            )
            return bool(said["sub"] == self.client[0] == said["iss"])
        pair = ":".join(quote(part, safe="") for part in self.client)
        return asked.header.get("authorization") == "Basic " + base64.b64encode(pair.encode()).decode()


class Kubernetes(Side):
    """TokenReview and service accounts. ``reviewer``: the token that may ask."""

    def __init__(self) -> None:
        self.signer = Signer()
        self.reviewer = self.signer.sign({"sub": "reviewer"})
        self.special: dict[str, Any] = {
            "refused": {"authenticated": False}, "error": {"error": "boom"},
            "person": {"authenticated": True, "user": {"username": "somebody", "uid": "u"}},
            "odd": {"authenticated": "yes", "user": {"username": "system:serviceaccount:ns:odd"}},
            "empty": {},
        }  # fmt: skip

    def token(self, name: str) -> str:
        return self.signer.sign({"sub": f"system:serviceaccount:default:{name}"})

    def answer(self, asked: Asked) -> Reply:
        if asked.header.get("authorization") != "Bearer " + self.reviewer:
            return reply({"kind": "Status", "status": "Failure", "message": "Unauthorized", "code": 401}, 401)
        if asked.path == "/apis/authentication.k8s.io/v1/tokenreviews" and asked.method == "POST":
            return self._review(json.loads(asked.body))
        name = asked.path.removeprefix("/api/v1/namespaces/default/serviceaccounts/")
        if name == "gone" or name == asked.path:
            message = f'serviceaccounts "{name}" not found'
            return reply({"kind": "Status", "status": "Failure", "message": message, "code": 404}, 404)
        annotations = {"consul.hashicorp.com/service-name": "another"} if name == "annotated" else None
        metadata = {"name": name, "namespace": "default", "uid": "u1", "annotations": annotations}
        return reply({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata})

    def _review(self, review: Json) -> Reply:
        import jwt

        assert review["kind"] == "TokenReview" and review["apiVersion"] == "authentication.k8s.io/v1"
        said = jwt.decode(review["spec"]["token"], options={"verify_signature": False})
        name = said.get("sub", "").rpartition(":")[2]
        if name == "forbidden":
            return reply({"kind": "Status", "status": "Failure", "message": "you may not review", "code": 403}, 403)
        if name == "html":
            return 502, {"Content-Type": "text/html"}, b"<html>bad gateway</html>"
        status = self.special.get(name, {"authenticated": True, "user": {"username": said.get("sub"), "uid": "u1"}})
        return reply({"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status}, 201)


# ---------------------------------------------------------------------------------------------------- AWS


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(method: str, header: dict[str, str], body: bytes, signed: list[str], scope: str, secret: str) -> str:
    """Signature version 4 of a request to the root path (AWS General Reference)."""
    lines = "".join(f"{name}:{header[name].strip()}\n" for name in signed)
    canonical = f"{method}\n/\n\n{lines}\n{';'.join(signed)}\n{hashlib.sha256(body).hexdigest()}"
    date, region, service, _ = scope.split("/")
    text = f"AWS4-HMAC-SHA256\n{header['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _mac(_mac(_mac(_mac(b"AWS4" + secret.encode(), date), region), service), "aws4_request")
    return _mac(key, text).hex()


class Aws(Side):
    """STS and IAM in one, with the keys of some that may ask."""

    NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'

    def __init__(self) -> None:
        # By access key: the secret, and who that is.
        self.keys = {
            "AKROLE": ("s1", "arn:aws:sts::123456789012:assumed-role/deployer/session", "AROAX:session"),
            "AKUSER": ("s2", "arn:aws:iam::123456789012:user/some/path/mary", "AIDAX"),
            "AKROOT": ("s3", "arn:aws:iam::123456789012:root", "123456789012"),
        }
        self.failures = 0

    def signed(self, access: str, form: str, service: str, more: dict[str, str] | None = None) -> Json:
        """A signed request as its parts. ``more``: further headers, which are signed."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        header = {
            "host": urlsplit(self.url).netloc, "x-amz-date": now,
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            **{name.lower(): value for name, value in (more or {}).items()},
        }  # fmt: skip
        scope, names = f"{now[:8]}/us-east-1/{service}/aws4_request", sorted(header)
        mac = signature("POST", header, form.encode(), names, scope, self.keys[access][0])
        header["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={';'.join(names)}, Signature={mac}"
        )
        return {"header": header, "body": form, "url": self.url + "/"}

    def bearer(self, access: str, more: dict[str, str] | None = None, entity: str = "") -> str:
        """A secret to log in with. ``entity``: the form of a second request for the details."""
        more = dict(more or {})
        if entity:
            second = self.signed(access, entity, "iam")
            headers = json.dumps({name: [value] for name, value in second["header"].items()})
            parts = {"Method": "POST", "URL": second["url"], "Headers": headers, "Body": second["body"]}
            more |= {f"X-Consul-IAM-GetEntity-{part}": value for part, value in parts.items()}
        first = self.signed(access, "Action=GetCallerIdentity&Version=2011-06-15", "sts", more)
        return packed(first["url"], first["header"], first["body"])

    def answer(self, asked: Asked) -> Reply:
        if self.failures:
            self.failures -= 1
            return 503, {}, b"<ErrorResponse><Error><Message>later</Message></Error></ErrorResponse>"
        fields = dict(part.strip().split("=", 1) for part in asked.header["authorization"].split(" ", 1)[1].split(","))
        access, _, scope = fields["Credential"].partition("/")
        secret, arn, user_id = self.keys[access]
        wanted = signature("POST", asked.header, asked.body, fields["SignedHeaders"].split(";"), scope, secret)
        if fields["Signature"] != wanted:
            return 403, {}, b"<ErrorResponse><Error><Message>wrong signature</Message></Error></ErrorResponse>"
        form = asked.form()
        if form["Action"] == "GetCallerIdentity":
            result = f"<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>123456789012</Account>"
        else:
            kind = form["Action"].removeprefix("Get")
            name = form[f"{kind}Name"]
            entity_id = user_id.partition(":")[0] if name in ("deployer", "mary") else "AROAOTHER"
            result = (
                f"<{kind}><{kind}Id>{entity_id}</{kind}Id><{kind}Name>{name}</{kind}Name><Path>/a/path/</Path>"
                f"<Arn>arn:aws:iam::123456789012:{kind.lower()}/a/path/{name}</Arn>"
                "<Tags><member><Key>team</Key><Value>blue</Value></member></Tags>"
                f"</{kind}>"
            )
        action = form["Action"]
        body = f"<{action}Response {self.NAMESPACE}><{action}Result>{result}</{action}Result></{action}Response>"
        return 200, {"Content-Type": "text/xml"}, body.encode()


def packed(url: str, header: dict[str, Any], body: str, method: str = "POST") -> str:
    """A signed request as the secret that it is here."""

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return json.dumps({
        "iam_http_request_method": method, "iam_request_url": encoded(url), "iam_request_body": encoded(body),
        "iam_request_headers": encoded(json.dumps(header)),
    })  # fmt: skip


# ---------------------------------------------------------------------------------------------------- misbehaviour


class Hostile(Side):
    """Answers by path: what no client may be impressed by."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/loop"):
            return 302, {"Location": self.url + "/loop"}, b""
        if asked.path.startswith("/large"):
            return 200, {"Content-Type": "application/json"}, b'{"keys": [' + b" " * (3 << 20) + b"]}"
        if asked.path.startswith("/text"):
            return 200, {"Content-Type": "application/json"}, b"this is no JSON"
        if asked.path.startswith("/deep"):
            return 200, {"Content-Type": "application/json"}, b"[" * 200_000
        if asked.path.startswith("/keyless"):
            return reply({"keys": "none"})
        return reply({"error": "no"}, 500)


@contextmanager
def speaking(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """What does not even speak TLS: the address of a port whose connections ``answer`` gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            open_ones.append(connection)
            answer(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_ones:
            connection.close()
        thread.join()
