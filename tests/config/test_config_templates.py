"""Address templates: Go's template language over the interfaces of a machine. The reference renders the same ones on
this machine; a made-up machine has the addresses that this one may lack."""

from __future__ import annotations

import json
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proconsul.agent.config.host import Interface, RealHost
from proconsul.agent.config.network import _ip
from proconsul.agent.config.sockaddr import TemplateError, render
from proconsul.agent.config.sockaddr.ranges import BY_RFC
from support.reference import require_reference


class Machine:
    """What the reference was asked on: two interfaces with public, private and documentation addresses."""

    def hostname(self) -> str:
        return "m"

    def interfaces(self) -> list[Interface]:
        rows = [
            ("lo", "127.0.0.1", 8), ("lo", "::1", 128), ("d0", "10.0.0.5", 8), ("d0", "172.16.1.2", 16),
            ("d0", "8.8.8.8", 30), ("d0", "fd01::1", 64), ("d0", "2001:db8::5", 32), ("d1", "192.168.5.7", 24),
            ("d1", "203.0.113.9", 24),
        ]  # fmt: skip
        numbers = {"lo": 1, "d0": 2, "d1": 3}
        return [
            Interface(name, address, bits, name == "lo", True, () if name == "lo" else ("broadcast",), numbers[name])
            for name, address, bits in rows
        ]

    def default_interface(self) -> str:
        return ""

    def is_directory(self, path: str) -> bool | None:
        return None


# What the reference gave on such a machine.
RENDERED = [
    ("{{ GetPrivateIP }}", "10.0.0.5"),
    ("{{ GetPublicIP }}", "8.8.8.8"),
    ("{{ GetPrivateIPs }}", "10.0.0.5 172.16.1.2 192.168.5.7 fd01::1"),
    ('{{ GetInterfaceIP "d1" }}', "192.168.5.7"),
    ('{{ GetInterfaceIPs "d1" }}', "192.168.5.7 203.0.113.9"),
    ('{{ GetAllInterfaces | include "type" "ipv4" | math "address" "+1" | attr "address" }}', "127.0.0.2"),
    ('{{ GetAllInterfaces | include "name" "d0" | math "network" "-1" | limit 3 | join "address" "," }}',
     "10.255.255.255,172.16.255.255,8.8.8.11"),
    ('{{ GetAllInterfaces | include "name" "d0" | math "network" "+300" | limit 3 | join "address" "," }}',
     "10.0.1.44,172.16.1.44,8.8.8.8"),
    ("{{ with GetPrivateIP }}[{{ . }}]{{ else }}none{{ end }}", "[10.0.0.5]"),
    ("{{ range $i, $a := GetAllInterfaces | limit 3 }}{{ $i }}={{ $a.Name }};{{ end }}", "0=lo;1=lo;2=d0;"),
    ('{{ range GetAllInterfaces }}{{ if eq .Name "d0" }}{{ attr "host" . }},{{ end }}{{ end }}',
     "10.0.0.5,172.16.1.2,8.8.8.8,fd01::1,2001:db8::5,"),
    ('{{ if eq GetPrivateIP "10.0.0.5" }}y{{ else if true }}z{{ else }}n{{ end }}', "y"),
    ('{{ printf "%s:%05d-%q" GetPrivateIP 42 "x" }}', '10.0.0.5:00042-"x"'),
    ("{{/* a comment */}}{{- /* another */ -}} {{ (GetPrivateIP) }}", "10.0.0.5"),
    ("{{ $x := GetPrivateIP }}{{ $x = GetPublicIP }}{{ $x }}", "8.8.8.8"),
    ('{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" GetPrivateIP }}', "<10.0.0.5>"),
    ('{{ GetAllInterfaces | include "rfc" "1918|6890" | len }}', "11"),
    ('{{ GetAllInterfaces | exclude "network" "10.0.0.0/8|fd00::/8" | len }}', "16"),
    ('{{ GetAllInterfaces | sort "private" | join "address" "," }}',
     "192.168.5.7,10.0.0.5,172.16.1.2,127.0.0.1,203.0.113.9,2001:db8::5,fd01::1,::1,8.8.8.8"),
    ('{{ GetAllInterfaces | sort "-type,address" | join "address" "," }}',
     "::1,2001:db8::5,fd01::1,8.8.8.8,10.0.0.5,127.0.0.1,172.16.1.2,192.168.5.7,203.0.113.9"),
    ('{{ GetAllInterfaces | sort "type" | unique "name" | join "name" "," }}', "lo,d1,d0,d1,d0,lo"),
    ('{{ GetAllInterfaces | offset -2 | join "string" "," }}', "192.168.5.7/24,203.0.113.9/24"),
    ('{{ GetAllInterfaces | offset 2 | limit 1 | attr "octets" }}', "10 0 0 5"),
    ('{{ GetAllInterfaces | join "mask_bits" " " }}', "8 128 8 16 30 64 32 24 24"),
    ("{{ index GetAllInterfaces 2 }}", "10.0.0.5/8 {2 1500 d0  up|broadcast}"),
    ('{{ GetAllInterfaces | include "flags" "forwardable|loopback" | len }}', "7"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "text"), RENDERED)
def test_what_templates_give(template: str, text: str) -> None:
    assert render(template, Machine()) == text


REFUSED = [
    ("{{ Foo }}", 'template: sockaddr.Parse:1: function "Foo" not defined'),
    ("{{ if true }}", "template: sockaddr.Parse:1: unexpected EOF"),
    ("{{ GetAllInterfaces | offset 200 }}",
     "error calling offset: unable to seek past the end of the interface array: offset (200) exceeds the number of "
     "interfaces (9)"),
    ('{{ GetAllInterfaces | include "rfc" "9999" }}',
     'error calling include: unable to lookup RFC number "9999": unsupported RFC 9999'),
    ("{{ GetDefaultInterfaces }}", "error calling GetDefaultInterfaces: No default interface found"),
    ('{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', "exceeded maximum template depth (100)"),
    ("{{ (((" + "(" * 200 + " 1 ", "nested deeper than 60"),
    ("{{ range GetAllInterfaces }}" * 7 + "x" + "{{ end }}" * 7, "the template runs for too long"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "text"), REFUSED)
def test_what_is_refused(template: str, text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, Machine())
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("number", "inside", "outside"),
    [
        (919, "255.255.255.255", "255.255.255.254"), (1112, "239.1.1.1", "240.0.0.1"), (1122, "0.1.2.3", "1.0.0.1"),
        (1918, "172.31.9.9", "172.32.0.1"), (2544, "198.19.0.1", "198.20.0.1"), (3068, "192.88.99.1", "192.88.98.1"),
        (3927, "169.254.1.1", "169.253.1.1"), (5737, "198.51.100.7", "198.51.101.7"),
        (6598, "100.64.0.1", "100.63.0.1"), (4193, "fd00::1", "fe00::1"), (3849, "2001:db8::1", "2001:db9::1"),
        (6666, "100::1", "100:0:0:1::"),
    ],
)  # fmt: skip
def test_ranges_of_rfcs(number: int, inside: str, outside: str) -> None:
    machine = Machine()
    machine.interfaces = lambda: [  # type: ignore[method-assign]
        Interface("d0", address, 128 if ":" in address else 32) for address in (inside, outside)
    ]
    assert render(f'{{{{ GetAllInterfaces | include "rfc" "{number}" | join "address" "," }}}}', machine) == inside
    assert len(BY_RFC) == 28


def test_the_one_address_in_brackets() -> None:
    assert _ip("[::]") == "::"
    for text in ("[::1]", "[]", "[127.0.0.1]", "fe80::1%eth0", "[::", "::]", "[[::]]"):
        assert _ip(text) is None


# ------------------------------------------------------------------ beside the reference

_SELECTORS = {
    "type": ["IPv4", "ipv6", "IP", "IPv4|IPv6", "unix", "x"], "rfc": ["1918", "6890", "1112", "1918|6890", "4193", "x"],
    "network": ["10.0.0.0/8", "127.0.0.0/8|fd00::/8", "::/0", "x"], "name": ["e", "^lo$", "["],
    "address": ["^1", "\\\\.", ":", "/"], "size": ["8", "24", "64", "x"], "foo": ["x"],
    "flags": ["up", "loopback", "forwardable", "global unicast", "up|broadcast", "loopback|forwardable", "x"],
}  # fmt: skip
_ATTRIBUTES = ["address", "size", "name", "type", "network", "mask_bits", "string", "flags", "broadcast", "hex", "foo"]
_ATTRIBUTES += ["first_usable", "last_usable", "netmask", "Port", "uint32"]


class _Templates:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def step(self) -> str:
        choose = self.rng.choice
        name, arguments = choose(list(_SELECTORS.items()))
        keys = [choose(["", "-"]) + choose(["address", "name", "type", "size", "default"]) for _ in range(2)]
        return choose([
            f'{choose(["include", "exclude"])} "{name}" "{choose(arguments)}"', f'sort "{",".join(keys)}"',
            f"limit {choose([0, 1, 3, 99, -1])}", f"offset {choose([0, 1, 2, -1, 99])}",
            f'unique "{choose(["name", "address", "type"])}"',
            f'math "{choose(["address", "network", "mask"])}" "{choose(["+1", "-1", "+300", "1", "x"])}"',
        ])  # fmt: skip

    def pipeline(self) -> str:
        source = self.rng.choice(["GetAllInterfaces", "GetPrivateInterfaces", ".", "$", "(GetAllInterfaces)"])
        return " | ".join([source, *(self.step() for _ in range(self.rng.randrange(4)))])

    def value(self) -> str:
        choose = self.rng.choice
        return choose([
            f'{self.pipeline()} | attr "{choose(_ATTRIBUTES)}"', f"len ({self.pipeline()})",
            f'{self.pipeline()} | join "{choose(_ATTRIBUTES)}" ","',
            choose(["GetPrivateIP", "GetPublicIP", 'GetInterfaceIP "lo"', '"x"', "5", "true"]),
            f'printf "{choose(["%s", "%v", "%q", "%d", "%x"])}" ({choose(["GetPrivateIP", "7", "true"])})',
        ])  # fmt: skip

    def one(self, depth: int = 0) -> str:
        choose = self.rng.choice
        inner = self.one(depth + 1) if depth < 2 else "{{ . }}"
        other = choose(["", "{{ else }}n", "{{ else }}" + inner])
        text = choose([
            f"{{{{ {self.value()} }}}}", f"{{{{ if {self.value()} }}}}{inner}{other}{{{{ end }}}}",
            f"{{{{ range $i, $a := {self.pipeline()} }}}}{{{{ $i }}}}{{{{ $a.SockAddr }}}};{other}{{{{ end }}}}",
            f"{{{{ with {self.value()} }}}}{inner}{other}{{{{ end }}}}", f"{{{{ $v := {self.value()} }}}}{{{{ $v }}}}",
            f"{{{{/* c */}}}}{inner}", f"{{{{ if eq ({self.value()}) ({self.value()}) }}}}y{other}{{{{ end }}}}",
        ])  # fmt: skip
        if depth == 0 and self.rng.random() < 0.2:
            at = self.rng.randrange(3, len(text))
            text = text[:at] + choose(["", ")", "(", "|", "{{", "}}", ".", "$", "x"]) + text[at + 1 :]
        return text


def _theirs(binary: str, template: str, path: Path) -> str:
    """How the text between two Qs comes out, up to its first space, or the error."""
    values = {"data_dir": "/tmp/x", "bind_addr": "127.0.0.1", "client_addr": f"Q{template}Q"}
    path.write_text(json.dumps(values))
    done = subprocess.run([binary, "validate", str(path)], capture_output=True, text=True, timeout=30, check=False)
    shown = re.search(r"client_addr: invalid ip address: (.*)", done.stderr)
    if shown is not None:
        return shown[1]
    found = re.search(r'client_addr: error parsing "(?:[^"\\]|\\.)*": (.*)', done.stderr)
    assert found is not None, done.stderr
    return found[1]


def _ours(template: str) -> str:
    try:
        return (render(f"Q{template}Q", RealHost()).split() or [""])[0]
    except TemplateError as error:
        return str(error).split("\n")[0]


@pytest.mark.reference
def test_templates_give_what_the_reference_gives(tmp_path: Path) -> None:
    binary = str(require_reference())
    if len(RealHost().interfaces()) > 12:
        pytest.skip("more addresses than the original sorts as we do")
    maker = _Templates(7)
    templates = [template for template, _ in RENDERED] + [maker.one() for _ in range(100)]
    with ThreadPoolExecutor(2) as pool:
        paths = [tmp_path / f"{number}.json" for number in range(len(templates))]
        theirs = list(pool.map(_theirs, [binary] * len(templates), templates, paths))
    differ = [
        f"{template}: {wanted} but ours {ours}"
        for template, wanted in zip(templates, theirs, strict=True)
        if (ours := _ours(template)) != wanted
    ]
    assert differ == []
