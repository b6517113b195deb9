"""Types of auth methods that plug-ins bring (ours; docs/plugins.md): the type is the plug-in's name.

What a login gives has the form of a JWT's mapped claims: ``value.<name>`` and ``list.<name>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth.claims import Claims
from proconsul.features.acl.auth.common import REMOTE_TIMEOUT_S, AuthError, Verified
from proconsul.plugins.calling import PluginInstance
from proconsul.plugins.foreign import WHATEVER, shown, words
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError, PluginKind
from proconsul.plugins.protocols import LoginRefused, LoginResult

# As much as the largest signed tokens say.
CHARACTERS_MAX: Final = 64 * 1024


class PluginMethod:
    """Implements `common.Validator`. ``variables``: the names that values may have."""

    row_type: type[msgspec.Struct] = Claims

    def __init__(self, instance: PluginInstance, variables: frozenset[str]) -> None:
        self._instance, self._variables = instance, variables
        self.blank: Mapping[str, str] = {f"value.{name}": "" for name in sorted(variables)}

    async def check(self) -> None:
        """See `common.Validator`: the plug-in is made, which shows whether it can do with its settings."""
        try:
            await self._instance.ready()
        except PluginError as error:
            raise AuthError(str(error)) from None

    async def login(self, bearer: str) -> Verified:
        """See `common.Validator`. Whatever the plug-in does, nobody is let in by mistake, and no secret is shown."""
        plugin = self._instance.plugin
        try:
            found = await self._instance.call("login", bearer, timeout_s=REMOTE_TIMEOUT_S)
        except LoginRefused as error:
            raise AuthError(f"{plugin} refuses the login: {words(error, bearer)}") from None
        except PluginError as error:
            raise AuthError(words(error, bearer)) from None
        except Exception as error:
            text = shown(error, bearer)
            self._instance.complain(PluginError(text))
            raise AuthError(f"{plugin} failed: {text}") from None
        try:
            found = plain_login(found)
            problem = problem_of_login(found, self._variables)
        except WHATEVER as error:  # classes of the author's that look like ours
            problem = f"what its login returned cannot be read: {shown(error, bearer)}"
        if problem:
            self._instance.complain(PluginError(problem))
            raise AuthError(f"{plugin} cannot be believed: {problem}")
        self._instance.well()
        values = found.values
        return Verified(
            Claims(values, found.lists),
            {**self.blank, **{f"value.{name}": text for name, text in values.items()}},
        )


def plain_login(found: Any) -> Any:
    """A result with what is in it as dictionaries, lists and texts of no class of their own, read once. Whatever else
    there is stays as it is. Raises what reading it raises."""
    if not isinstance(found, LoginResult):
        return found
    values, lists = found
    if isinstance(values, Mapping):
        values = {_plain(name): _plain(text) for name, text in values.items()}
    if isinstance(lists, Mapping):
        lists = {_plain(name): _plain_list(texts) for name, texts in lists.items()}
    return LoginResult(values, lists)


def _plain_list(texts: Any) -> Any:
    return [_plain(text) for text in texts] if isinstance(texts, list | tuple) else texts


def _plain(text: Any) -> Any:
    # Half a character is no reason to take somebody for somebody else: it raises.
    return str.encode(text).decode() if isinstance(text, str) else text


def problem_of_login(found: Any, variables: frozenset[str]) -> str:
    """What is wrong with what a login gave; "" when nothing is."""
    if not isinstance(found, LoginResult):
        return f"its login must return a LoginResult, and returned something of type {type(found).__name__}"
    values, lists = found
    if not isinstance(values, Mapping) or not isinstance(lists, Mapping):
        return "values and lists of a login must be mappings"
    for name, text in values.items():
        if name not in variables:
            return f"a login has the value {quoted(str(name)[:80])}, which its 'variables' do not list"
        if not isinstance(text, str):
            return f"the value {quoted(name)} of a login must be a text, not of type {type(text).__name__}"
    characters = sum(map(len, values.values()))
    for name, texts in lists.items():
        if not isinstance(name, str) or not isinstance(texts, list | tuple):
            return "lists of a login must be lists of texts by name"
        if not all(isinstance(text, str) for text in texts):
            return f"the list {quoted(name)} of a login must be of texts"
        characters += sum(map(len, texts)) + len(name) + len(texts)
    if characters > CHARACTERS_MAX:
        return f"a login has more than {CHARACTERS_MAX} characters"
    return ""


def make(plugins: PluginHost, name: str, config: Mapping[str, Any]) -> PluginMethod:
    """A validator of the plug-in ``name``. Raises AuthError."""
    try:
        instance = plugins.instance(PluginKind.AUTH_METHODS, name, config, "auth method", by_api=True)
    except PluginError as error:
        raise AuthError(str(error)) from None
    return PluginMethod(instance, frozenset(getattr(instance.plugin.factory, "variables", ())))
