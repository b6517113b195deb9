"""``consul login`` and ``logout``."""

from __future__ import annotations

import os
from typing import cast

from proconsul.cli.acl_common import Row
from proconsul.cli.command import CLIENT_AND_SERVER, EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.wire.goerrors import path_error

# The sink holds a secret; only its owner may read it.
_SINK_MODE = 0o600


# Where newer releases listen for a browser.
LISTEN = "localhost:8550"


class Login(Command):
    """Obtains a token."""

    usage = "consul login [options]"
    api = EVERYTHING
    body = """
  Shows a secret of somebody else (such as a JWT) to an auth method and writes
  the token it gives in return to a file.

      $ consul login -method ci -bearer-token-file ci.jwt -token-sink-file consul.token

  With -type=oidc, a browser brings the proof; with -aws-auto-bearer-token, the
  AWS keys of the environment sign it.
"""

    def define(self, flags: FlagSet) -> None:
        self.type = flags.string("type", "Type of the auth method. Optional.")
        self.method = flags.string("method", "Name of the auth method.")
        self.bearer = flags.string("bearer-token-file", "File with the secret to show.")
        self.sink = flags.string("token-sink-file", "File to write the token to.")
        self.meta = flags.mapping("meta", "Metadata for the token as key=value. Repeat for more.")
        self.listen = flags.string("oidc-callback-listen-addr", "Where the browser comes back to, for oidc.", LISTEN)
        self.aws = flags.boolean("aws-auto-bearer-token", "Sign a request with the AWS keys found instead of a file.")
        self.aws_role = flags.string("aws-role-name", "Role whose details the auth method may look up.")
        self.aws_user = flags.string("aws-user-name", "User whose details the auth method may look up.")
        self.aws_region = flags.string("aws-region", "Region to sign for. Default: that of the environment.")
        self.aws_sts = flags.string("aws-sts-endpoint", "Address of STS. Default: that of the region.")
        self.aws_iam = flags.string("aws-iam-endpoint", "Address of IAM. Default: that of AWS.")
        self.aws_server_id = flags.string("aws-server-id-header-value", "What the auth method demands to be signed.")

    def execute(self, args: list[str]) -> int:
        if args:
            raise Failure("Should have no non-flag arguments.")
        for name, flag in (("method", self.method), ("token-sink-file", self.sink)):
            if not flag.value:
                raise Failure(f"Missing required '-{name}' flag")
        if self.type.value == "oidc":
            self._store(self._with_browser())
            return 0
        bearer = self._of_aws() if self.aws.value else self._of_file()
        client = self.client()
        body: dict[str, Json] = {"AuthMethod": self.method.value, "BearerToken": bearer}
        if self.meta.value:
            body["Meta"] = dict(self.meta.value)
        # Whoever logs in has no token yet; one from the environment must not spoil it.
        with explain("Error logging in: "):
            data = gojson.dumps(body).encode("utf-8", "surrogateescape")
            token = cast(Row, client.ok("POST", "/v1/acl/login", body=data, token="").json())
        self._store(str(token["SecretID"]))
        return 0

    def _with_browser(self) -> str:
        import webbrowser

        from proconsul.cli.oidc_login import log_in

        return log_in(
            self.client(), self.method.value, self.meta.value, self.listen.value, self.ui.out, webbrowser.open
        )

    def _of_aws(self) -> str:
        from proconsul.cli.aws_login import Entity, bearer_token, keys_of, region_of

        if self.aws_role.value and self.aws_user.value:
            raise Failure("Cannot use -aws-role-name with -aws-user-name")
        role, user = self.aws_role.value, self.aws_user.value
        entity = Entity("GetRole" if role else "GetUser", role or user) if role or user else None
        return bearer_token(
            keys_of(os.environ), region_of(self.aws_region.value), sts=self.aws_sts.value, iam=self.aws_iam.value,
            server_id=self.aws_server_id.value, entity=entity,
        )  # fmt: skip

    def _of_file(self) -> str:
        if not self.bearer.value:
            raise Failure("Missing required '-bearer-token-file' flag")
        try:
            with open(self.bearer.value, encoding="utf-8", errors="surrogateescape") as file:
                bearer = file.read().strip()
        except OSError as error:
            raise Failure(path_error("open", self.bearer.value, error)) from None
        if not bearer:
            raise Failure(f"No bearer token found in {self.bearer.value}")
        return bearer

    def _store(self, secret: str) -> None:
        path = self.sink.value
        partial = f"{path}.tmp"
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SINK_MODE)
            with os.fdopen(descriptor, "w") as file:
                file.write(secret)
            os.replace(partial, path)
        except OSError as error:
            raise Failure(f"Error writing token to file sink: {path_error('open', path, error)}") from None


class Logout(Command):
    """Destroys a token obtained by login."""

    usage = "consul logout [options]"
    api = CLIENT_AND_SERVER
    body = "  Destroys the token this command uses, which must come from login."

    def execute(self, args: list[str]) -> int:
        if args:
            raise Failure("Should have no non-flag arguments.")
        client = self.client()
        with explain("Error destroying token: "):
            client.ok("POST", "/v1/acl/logout").close()
        return 0
