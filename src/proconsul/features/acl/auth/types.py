"""The types of auth methods, by name."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.features.acl.auth import jwt, kubernetes
from proconsul.features.acl.auth.common import Make

TYPES: Mapping[str, Make] = {"jwt": jwt.make, "kubernetes": kubernetes.make}
