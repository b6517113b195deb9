"""Which commands exist and where their code is.  Importing this imports no command."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from proconsul.cli import help as help_page
from proconsul.cli.command import Command, CommandGroup, Listing
from proconsul.cli.output import Ui

_PROGRAM = "consul"

# name -> (module under proconsul.cli.commands, class, one line about it)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "acl auth-method create": ("acl_auth_method", "Create", "Add an auth method"),
    "acl auth-method delete": ("acl_auth_method", "Delete", "Remove an auth method"),
    "acl auth-method list": ("acl_auth_method", "List", "Show all auth methods"),
    "acl auth-method read": ("acl_auth_method", "Read", "Show one auth method"),
    "acl auth-method update": ("acl_auth_method", "Update", "Change an auth method"),
    "acl binding-rule create": ("acl_binding_rule", "Create", "Add a binding rule"),
    "acl binding-rule delete": ("acl_binding_rule", "Delete", "Remove a binding rule"),
    "acl binding-rule list": ("acl_binding_rule", "List", "Show all binding rules"),
    "acl binding-rule read": ("acl_binding_rule", "Read", "Show one binding rule"),
    "acl binding-rule update": ("acl_binding_rule", "Update", "Change a binding rule"),
    "acl bootstrap": ("acl_token", "Bootstrap", "Create the first management token"),
    "acl explain": ("acl_explain", "Explain", "Say why a token may do something or not"),
    "acl policy create": ("acl_policy", "Create", "Add a policy"),
    "acl policy delete": ("acl_policy", "Delete", "Remove a policy"),
    "acl policy list": ("acl_policy", "List", "Show all policies"),
    "acl policy read": ("acl_policy", "Read", "Show one policy"),
    "acl policy update": ("acl_policy", "Update", "Change a policy"),
    "acl role create": ("acl_role", "Create", "Add a role"),
    "acl role delete": ("acl_role", "Delete", "Remove a role"),
    "acl role list": ("acl_role", "List", "Show all roles"),
    "acl role read": ("acl_role", "Read", "Show one role"),
    "acl role update": ("acl_role", "Update", "Change a role"),
    "acl set-agent-token": ("acl_agent", "SetAgentToken", "Give the agent one of its own tokens"),
    "acl templated-policy list": ("acl_templated_policy", "List", "Show all templated policies"),
    "acl templated-policy preview": ("acl_templated_policy", "Preview", "Show what a templated policy comes to"),
    "acl templated-policy read": ("acl_templated_policy", "Read", "Show one templated policy"),
    "acl token clone": ("acl_token", "Clone", "Copy a token under new IDs"),
    "acl token create": ("acl_token", "Create", "Add a token"),
    "acl token delete": ("acl_token", "Delete", "Remove a token"),
    "acl token list": ("acl_token", "List", "Show all tokens"),
    "acl token read": ("acl_token", "Read", "Show one token"),
    "acl token update": ("acl_token", "Update", "Change a token"),
    "acl translate-rules": ("acl_agent", "TranslateRules", "Rewrite legacy rules in the present syntax"),
    "agent": ("agent", "Agent", "Run an agent"),
    "catalog datacenters": ("catalog", "Datacenters", "List the known datacenters"),
    "catalog nodes": ("catalog", "Nodes", "List the nodes of a datacenter"),
    "catalog services": ("catalog", "Services", "List the services of a datacenter"),
    "config delete": ("config", "Delete", "Remove a configuration entry"),
    "config list": ("config", "List", "List the configuration entries of a kind"),
    "config read": ("config", "Read", "Show a configuration entry"),
    "config write": ("config", "Write", "Create or change a configuration entry"),
    "connect ca get-config": ("connect", "GetConfig", "Show the mesh CA's configuration"),
    "connect ca set-config": ("connect", "SetConfig", "Change the mesh CA's configuration"),
    "connect expose": ("connect", "Expose", "Publish a mesh service through an ingress gateway"),
    "debug": ("debug", "Debug", "Collect data about an agent for support"),
    "doctor": ("doctor", "Doctor", "Say what is wrong, what will be, and what to do"),
    "event": ("event", "Event", "Send a user event"),
    "exec": ("exec", "Exec", "Run a command on many nodes"),
    "force-leave": ("cluster", "ForceLeave", 'Mark a failed member as "left"'),
    "info": ("cluster", "Info", "Show runtime figures of the agent"),
    "intention check": ("intention", "Check", "Tell whether a connection would be allowed"),
    "intention create": ("intention", "Create", "Add intentions"),
    "intention delete": ("intention", "Delete", "Remove an intention"),
    "intention get": ("intention", "Get", "Show an intention"),
    "intention match": ("intention", "Match", "List the intentions which match a service"),
    "join": ("cluster", "Join", "Tell the agent to join other members"),
    "keygen": ("keygen", "Keygen", "Make a new gossip encryption key"),
    "keyring": ("keyring", "Keyring", "Manage gossip encryption keys"),
    "kv delete": ("kv", "Delete", "Remove keys"),
    "kv export": ("kv_transfer", "Export", "Write a tree of keys as JSON"),
    "kv get": ("kv", "Get", "Read or list keys"),
    "kv import": ("kv_transfer", "Import", "Load a tree of keys from JSON"),
    "kv put": ("kv", "Put", "Write a key"),
    "leave": ("cluster", "Leave", "Leave the cluster and stop the agent"),
    "lock": ("lock", "Lock", "Run a command while holding a lock"),
    "login": ("login", "Login", "Obtain a token with an auth method"),
    "logout": ("login", "Logout", "Destroy a token obtained by login"),
    "maint": ("maint", "Maint", "Switch maintenance mode on or off"),
    "members": ("members", "Members", "List the members of the cluster"),
    "monitor": ("monitor", "Monitor", "Follow the agent's log"),
    "operator acl-reset": ("acl_reset", "AclReset", "Allow one more bootstrap of access control"),
    "operator autopilot get-config": ("operator", "AutopilotGet", "Show the Autopilot configuration"),
    "operator autopilot set-config": ("operator", "AutopilotSet", "Change the Autopilot configuration"),
    "operator autopilot state": ("operator", "AutopilotState", "Show who counts for the quorum, and why"),
    "operator raft list-peers": ("operator", "ListPeers", "Show the Raft peers"),
    "operator raft remove-peer": ("operator", "RemovePeer", "Remove a Raft peer"),
    "operator raft transfer-leader": ("operator", "TransferLeader", "Hand leadership to another server"),
    "operator usage instances": ("operator_usage", "Instances", "Count nodes, services and their instances"),
    "reload": ("cluster", "Reload", "Make the agent read its configuration again"),
    "rtt": ("rtt", "Rtt", "Estimate the round trip time between nodes"),
    "services deregister": ("services", "Deregister", "Remove services from the agent"),
    "services register": ("services", "Register", "Add services to the agent"),
    "services sync": ("services_sync", "Sync", "Show how far the catalog has the agent's services"),
    "snapshot agent": ("snapshot_agent", "SnapshotAgent", "Save snapshots regularly and keep the newest"),
    "snapshot decode": ("snapshot", "Decode", "Print every record of a snapshot file"),
    "snapshot inspect": ("snapshot", "Inspect", "Show what a snapshot file holds"),
    "snapshot restore": ("snapshot", "Restore", "Load a snapshot into the servers"),
    "snapshot save": ("snapshot", "Save", "Save the servers' state to a file"),
    "tls ca create": ("tls", "CaCreate", "Create a certificate authority"),
    "tls cert create": ("tls", "CertCreate", "Create a certificate"),
    "validate": ("validate", "Validate", "Check configuration files"),
    "version": ("version", "Version", "Show the version"),
    "watch": ("watch", "Watch", "Wait for changes"),
}

# name -> (arguments part of the usage line, one line about it, prose with an example)
GROUPS: dict[str, tuple[str, str, str]] = {
    "acl": (
        "<subcommand> [options] [args]",
        "Manage access control",
        "  Tokens, policies, roles and auth methods:\n\n"
        "      $ consul acl bootstrap\n"
        "      $ consul acl policy create -name ops -rules @ops.hcl\n"
        "      $ consul acl token create -policy-name ops",
    ),
    "acl auth-method": (
        "<subcommand> [options] [args]",
        "Manage auth methods",
        "  Auth methods let people and programs log in with an identity from elsewhere.",
    ),
    "acl binding-rule": (
        "<subcommand> [options] [args]",
        "Manage binding rules",
        "  Binding rules say which roles and services an identity gets when it logs in.",
    ),
    "acl policy": (
        "<subcommand> [options] [args]",
        "Manage policies",
        "  Policies are named sets of access rules.",
    ),
    "acl role": (
        "<subcommand> [options] [args]",
        "Manage roles",
        "  Roles are named sets of policies and identities.",
    ),
    "acl templated-policy": (
        "<subcommand> [options] [args]",
        "Show templated policies",
        "  Templated policies are builtin rules with a name filled in.",
    ),
    "acl token": (
        "<subcommand> [options] [args]",
        "Manage tokens",
        "  Tokens carry policies, roles and identities; requests present their secret ID.",
    ),
    "catalog": (
        "<subcommand> [options] [args]",
        "Look into the catalog",
        "  The catalog is what the servers know of nodes and services:\n\n      $ consul catalog nodes -service web",
    ),
    "config": (
        "<subcommand> [options] [args]",
        "Manage configuration entries",
        "  Configuration entries are cluster-wide defaults:\n\n"
        "      $ consul config write web.hcl\n"
        "      $ consul config read -kind service-defaults -name web",
    ),
    "connect": (
        "<subcommand> [options] [args]",
        "Manage the service mesh",
        "  The certificate authority and gateways of the service mesh.",
    ),
    "connect ca": (
        "<subcommand> [options] [args]",
        "Manage the mesh CA",
        "  Shows and changes which certificate authority the mesh uses.",
    ),
    "intention": (
        "<subcommand> [options] [args]",
        "Manage intentions",
        "  Intentions say which services may connect to which:\n\n"
        "      $ consul intention create web db\n"
        "      $ consul intention check web db",
    ),
    "kv": (
        "<subcommand> [options] [args]",
        "Work with the key-value store",
        "  Reads and writes keys:\n\n"
        "      $ consul kv put redis/config/connections 5\n"
        "      $ consul kv get redis/config/connections\n"
        "      $ consul kv delete redis/config/connections",
    ),
    "operator": (
        "<subcommand> [options]",
        "Tools for operators",
        "  Repairs and tuning of the server cluster. Read the documentation first: wrong\n"
        "  use can stop the cluster or lose data.",
    ),
    "operator autopilot": (
        "<subcommand> [options]",
        "Tune Autopilot",
        "  Shows and changes how servers are added and dead servers are removed.",
    ),
    "operator raft": (
        "<subcommand> [options]",
        "Look at and repair Raft",
        "  Lists the servers of the Raft quorum and removes lost ones.",
    ),
    "operator usage": (
        "<subcommand> [options] [args]",
        "Show how much the catalog holds",
        "  Counts what is registered, by datacenter.",
    ),
    "services": (
        "<subcommand> [options] [args]",
        "Register services",
        "  Works with the services of the local agent:\n\n      $ consul services register web.hcl",
    ),
    "snapshot": (
        "<subcommand> [options] [args]",
        "Save and restore the servers' state",
        "  Snapshots hold everything the servers know at one moment:\n\n"
        "      $ consul snapshot save backup.snap\n"
        "      $ consul snapshot inspect backup.snap\n"
        "      $ consul snapshot restore backup.snap",
    ),
    "tls": (
        "<subcommand> <subcommand> [options]",
        "Create CAs and certificates",
        "  Makes the certificates agents encrypt their traffic with:\n\n"
        "      $ consul tls ca create\n"
        "      $ consul tls cert create -server",
    ),
    "tls ca": (
        "<subcommand> [options] filename-prefix",
        "Create a CA",
        "  Makes the certificate authority that signs agents' certificates.",
    ),
    "tls cert": (
        "<subcommand> [options] [filename-prefix]",
        "Create certificates",
        "  Makes certificates for servers, clients and the command line.",
    ),
}


def exists(name: str) -> bool:
    """Tell whether a command or group has this name."""
    return name in COMMANDS or name in GROUPS


def longest(words: list[str]) -> tuple[str, list[str]]:
    """Split a command line into the longest known command name and its arguments.

    Without a match the first word is the name, so that it can be reported as unknown.  A word with a space in it
    is never a name, even if it reads like a command and its subcommand.
    """
    if " " in words[0]:
        return "", words
    for count in range(min(len(words), 4), 0, -1):
        name = " ".join(words[:count])
        if exists(name) and len(name.split()) == count:
            return name, words[count:]
    return words[0], words[1:]


def children(group: str) -> Listing:
    """Return name and synopsis of what is directly below a group; ``""`` is the program itself."""
    prefix = group + " " if group else ""
    depth = len(group.split()) + 1
    found: Listing = []
    for name, (_, synopsis, _) in GROUPS.items():
        if name.startswith(prefix) and len(name.split()) == depth:
            found.append((name[len(prefix) :], synopsis))
    for name, (_, _, synopsis) in COMMANDS.items():
        if name.startswith(prefix) and len(name.split()) == depth:
            found.append((name[len(prefix) :], synopsis))
    return sorted(found)


def load(name: str, ui: Ui | None = None) -> Command:
    """Import and return a command."""
    if name in GROUPS:
        arguments, _, body = GROUPS[name]
        return CommandGroup(tuple(name.split()), f"{_PROGRAM} {name} {arguments}", body, children(name), ui)
    module_name, class_name, _ = COMMANDS[name]
    module = import_module(f"proconsul.cli.commands.{module_name}")
    command_class = cast(type[Command], getattr(module, class_name))
    return command_class(ui)


def overview() -> str:
    """Return the help page of the program."""
    listing = help_page.command_list("Available commands are", children(""))
    return f"Usage: {_PROGRAM} [--version] [--help] <command> [<args>]\n\n{listing}"
