"""What those are told who may not: who they are, what they lack, what decided it, and which rule would allow it; pure.

The first sentence is that of newer releases than 1.8.7 (Consul docs: 1.12); whoever looks for "Permission denied" finds
it. Neither secrets nor values are told, and of others' policies nothing: what decided is always one of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from proconsul.engine.wire.text import quoted
from proconsul.features.acl.authorizer import Authorizer, Decision
from proconsul.features.acl.decisions import Decided, collecting, recorded
from proconsul.features.acl.model import ANONYMOUS_ACCESSOR_ID, ACLToken
from proconsul.features.acl.rules import BARE, Level, Rule
from proconsul.features.errors import PermissionDenied

_LEVELS = {"write-prefix": Level.WRITE} | {level.name.lower(): level for level in Level}
_IMPLICITLY = "The anonymous token is used implicitly when a request does not specify a token."
UNKNOWN_FOR_NOW = "Permission denied: no server could be asked about the token"
# A name may be as long as a key is; nobody reads more of it.
_NAME_MAX = 256


def needed(resource: str, access: str, name: str) -> str:
    """The rule that would allow ``access`` if nothing denies it: ``read``, ``write``, ``list`` or ``write-prefix``."""
    level = _LEVELS[access]
    if resource == "intention":
        return str(Rule("service", name == "*", name.strip("*"), Level.READ, level))
    return str(Rule(resource, access in ("write-prefix", "list"), "" if resource in BARE else name, level))


def refused(
    authorizer: Authorizer, token: ACLToken | None, ask: Callable[[Authorizer], object], text: str = "Permission denied"
) -> PermissionDenied:  # fmt: skip
    """Why ``authorizer`` refused what ``ask`` asks of it. ``token``: whose it is, None for nobody in particular."""
    with collecting() as decided:
        ask(recorded(authorizer))
    denied = [one for one in decided if not one.decision.allowed]
    return PermissionDenied(f"{text}: {reason(token, denied[-1])}" if denied else text)


def reason(token: ACLToken | None, denied: Decided) -> str:
    """What ``token`` lacks, and why."""
    too_long = len(denied.name) > _NAME_MAX
    lacks = f"lacks permission '{denied.resource}:{denied.access}'"
    if denied.resource not in BARE:
        lacks += f" on {quoted(denied.name[:_NAME_MAX] + '...' if too_long else denied.name)}"
    if token is None or token.AccessorID == ANONYMOUS_ACCESSOR_ID:
        text = f"anonymous token {lacks}. {_IMPLICITLY}"
    else:
        text = f"token with AccessorID '{token.AccessorID}' {lacks}."
    text += f" Decided by {_origin(denied.decision)}"
    return text if too_long else f"{text}; to be allowed it needs: {needed(*denied[:3])}"


def _origin(decision: Decision) -> str:
    if decision.rule is None:
        return "the default, as no rule speaks of it"
    return f"the rule {decision.rule} of {quoted(decision.policy)}"
