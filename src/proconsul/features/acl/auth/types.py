"""The types of auth methods, by name."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.features.acl.auth import aws, jwt, kubernetes, oidc
from proconsul.features.acl.auth.common import Make

OIDC = "oidc"
TYPES: Mapping[str, Make] = {"aws-iam": aws.make, "jwt": jwt.make, "kubernetes": kubernetes.make, OIDC: oidc.make}
