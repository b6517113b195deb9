"""The certificate authority of the mesh: roots, configuration, provider state (RPC reference, structures)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import RaftIndexed, UInt64
from proconsul.features.base import WriteRequest


class CAOp(StrEnum):
    """What a CARequest does. The texts are on the wire: append only."""

    SET_ROOTS = "set-roots"
    SET_CONFIG = "set-config"
    SET_PROVIDER_STATE = "set-provider-state"
    DELETE_PROVIDER_STATE = "delete-provider-state"
    SET_ROOTS_AND_CONFIG = "set-roots-config"
    INCREMENT_PROVIDER_SERIAL = "increment-provider-serial"


CA_LEAF_INCREMENT = "increment-index"


class CARoot(RaftIndexed, frozen=True, kw_only=True):
    """A root certificate; exactly one is active."""

    ID: str = ""
    Name: str = ""
    SerialNumber: UInt64 = 0
    SigningKeyID: str = ""
    ExternalTrustDomain: str = ""
    NotBefore: GoTime = ZERO_TIME
    NotAfter: GoTime = ZERO_TIME
    RootCert: str = ""
    IntermediateCerts: list[str] | None = None
    SigningCert: str = ""
    SigningKey: str = ""
    Active: bool = False
    RotatedOutAt: GoTime = ZERO_TIME
    PrivateKeyType: str = ""
    PrivateKeyBits: int = 0


class CAConfiguration(RaftIndexed, frozen=True, kw_only=True):
    """Which provider signs and how; ``Config`` is the provider's own."""

    ClusterID: str = ""
    Provider: str = ""
    Config: dict[str, Any] | None = None
    State: dict[str, str] | None = None
    ForceWithoutCrossSigning: bool = False


class CAConsulProviderState(RaftIndexed, frozen=True, kw_only=True):
    """What the built-in provider has to keep."""

    ID: str = ""
    PrivateKey: str = ""
    RootCert: str = ""
    IntermediateCert: str = ""


class CARequest(WriteRequest, frozen=True, kw_only=True):
    """``Index`` is the index of the roots that a change of roots is based on."""

    Datacenter: str = ""
    Op: str = ""
    Index: UInt64 = 0
    Roots: list[CARoot] | None = None
    Config: CAConfiguration | None = None
    ProviderState: CAConsulProviderState | None = None


class CALeafRequest(WriteRequest, frozen=True, kw_only=True):
    """Makes a Raft index that a new leaf certificate can be told apart by."""

    Datacenter: str = ""
    Op: str = ""
