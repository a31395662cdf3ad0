"""Profiles of OpenVPN clients: read into known directives, and written anew.

SECURITY: a profile can make OpenVPN load libraries, run programs, and read and write files
(`plugin`, `up`, `engine`, `log`, ...). What is not known here by name and form is refused, so that
a profile is only what we write ourselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from vantage6.common.errors import Invalid

_MOST_BYTES = 2**18
_NUMBER = r"\d{1,9}"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_PROTOCOL = r"(?:udp|tcp|tcp-client)4?"
_ALGORITHMS = r"[A-Za-z0-9:_+-]{1,1000}"
_REMOTE = re.compile(rf"{_HOST}(?: [1-9]\d{{0,4}}(?: {_PROTOCOL})?)?")

#: Every directive that a profile may have, and the form of what follows it.
_DIRECTIVES = {
    name: re.compile(form)
    for name, form in {
        "client": "",
        "dev": r"tun\d{0,3}",
        "dev-type": "tun",
        "proto": _PROTOCOL,
        "port": _NUMBER,
        "remote": _REMOTE.pattern,
        "remote-random": "",
        "resolv-retry": f"infinite|{_NUMBER}",
        "nobind": "",
        "float": "",
        "persist-key": "",
        "persist-tun": "",
        "remote-cert-tls": "server",
        "verify-x509-name": r"[A-Za-z0-9_.,=@ -]{1,500}?(?: (?:name|name-prefix|subject))?",
        "server-poll-timeout": _NUMBER,
        "connect-timeout": _NUMBER,
        "connect-retry": f"{_NUMBER}(?: {_NUMBER})?",
        "connect-retry-max": f"{_NUMBER}|unlimited",
        "auth": _ALGORITHMS,
        "cipher": _ALGORITHMS,
        "data-ciphers": _ALGORITHMS,
        "data-ciphers-fallback": _ALGORITHMS,
        "ncp-ciphers": _ALGORITHMS,
        "tls-cipher": _ALGORITHMS,
        "tls-ciphersuites": _ALGORITHMS,
        "tls-groups": _ALGORITHMS,
        "tls-version-min": r"1\.[23](?: or-highest)?",
        "reneg-sec": _NUMBER,
        "keepalive": f"{_NUMBER} {_NUMBER}",
        "ping": _NUMBER,
        "ping-restart": _NUMBER,
        "explicit-exit-notify": f"(?:{_NUMBER})?",
        "tun-mtu": _NUMBER,
        "mssfix": f"(?:{_NUMBER})?(?: mtu| fixed)?",
        "sndbuf": _NUMBER,
        "rcvbuf": _NUMBER,
        "key-direction": "[01]",
        "auth-nocache": "",
        "verb": r"\d",
        "mute": _NUMBER,
    }.items()
}
#: Every inline file, and what is in it.
_BLOCKS = {
    "ca": "CERTIFICATE",
    "cert": "CERTIFICATE",
    "key": "(?:[A-Z]+ )?PRIVATE KEY",
    "tls-auth": "OpenVPN Static key V1",
    "tls-crypt": "OpenVPN Static key V1",
    "tls-crypt-v2": "OpenVPN tls-crypt-v2 client key",
}
#: The order in which they are written.
_ORDER = ("ca", "cert", "key", "tls-auth", "tls-crypt", "tls-crypt-v2")


class UnknownDirective(Invalid):
    """The VPN profile has something that is not let through."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a VPN server is."""

    host: str
    port: int
    #: `udp` or `tcp`.
    protocol: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client needs to connect to a VPN."""

    #: Name and arguments, as they stand in a line.
    directives: tuple[tuple[str, str], ...]
    #: Inline files: name to PEM.
    blocks: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a profile.

        Raises
        ------
        UnknownDirective
            If it has anything that is not known; names it.
        """
        if len(text) > _MOST_BYTES:
            raise UnknownDirective("The VPN profile is too long.")
        directives: list[tuple[str, str]] = []
        blocks: dict[str, str] = {}
        lines = iter(text.replace("\r\n", "\n").split("\n"))
        for line in map(str.strip, lines):
            if not line or line[0] in "#;":
                continue
            if line.startswith("<"):
                name = line[1:-1]
                if not line.endswith(">") or name not in _BLOCKS or name in blocks:
                    raise _refusal(line)
                blocks[name] = _pem(name, lines)
                continue
            directives.append(_directive(line))
        return cls(tuple(directives), tuple(blocks.items()))

    def has(self, block: str) -> bool:
        """Tell whether it has an inline file."""
        return block in dict(self.blocks)

    def with_keys(self, certificate: str, key: str) -> Self:
        """Return it with a certificate and its key, in place of others."""
        blocks = dict(self.blocks) | {"cert": certificate.strip(), "key": key.strip()}
        return replace(self, blocks=tuple(blocks.items()))

    def remotes(self) -> list[Remote]:
        """Return where its servers are, in order."""
        given = dict(self.directives)
        found = []
        for name, rest in self.directives:
            if name == "remote":
                host, *more = rest.split()
                port = int(more[0] if more else given.get("port", "1194"))
                protocol = more[1] if len(more) > 1 else given.get("proto", "udp")
                found.append(Remote(host, port, protocol[:3]))
        return found

    def at(self, remotes: list[Remote]) -> Self:
        """Return it with other servers."""
        others = [one for one in self.directives if one[0] not in {"remote", "proto", "port"}]
        lines = [("remote", f"{one.host} {one.port} {one.protocol}") for one in remotes]
        return replace(self, directives=(*others, *lines))

    def text(self) -> str:
        """Return it as OpenVPN reads it."""
        lines = [f"{name} {_quote(name, rest)}".rstrip() for name, rest in self.directives]
        blocks = dict(self.blocks)
        for name in _ORDER:
            if name in blocks:
                lines += [f"<{name}>", blocks[name], f"</{name}>"]
        return "\n".join(lines) + "\n"


def _directive(line: str) -> tuple[str, str]:
    # OpenVPN itself takes the dashes of its command line in files, too.
    name, *words = line.removeprefix("--").split()
    # It ends a line at a comment, and takes quotation marks away; only one directive needs any.
    end = next((at for at, word in enumerate(words) if word[0] in "#;"), len(words))
    rest = " ".join(words[:end])
    if name == "verify-x509-name":
        rest = rest.replace('"', "").replace("'", "")
    if name not in _DIRECTIVES or not _DIRECTIVES[name].fullmatch(rest):
        raise _refusal(line)
    return name, rest


def _pem(block: str, lines: Iterator[str]) -> str:
    """Return the PEM of an inline file; comments around it are left out."""
    inside = []
    for line in map(str.strip, lines):
        if line == f"</{block}>":
            break
        inside.append(line)
    else:
        raise UnknownDirective(f"The VPN profile has no end of <{block}>.")
    kind = _BLOCKS[block]
    pattern = rf"-----BEGIN ({kind})-----\n[A-Za-z0-9+/=\n]+\n-----END \1-----"
    found = [match.group() for match in re.finditer(pattern, "\n".join(inside))]
    if not found:
        raise UnknownDirective(f"The VPN profile has no {kind} in <{block}>.")
    return "\n".join(found)


def _quote(name: str, rest: str) -> str:
    if name != "verify-x509-name":
        return rest
    match = re.fullmatch(r"(.+?)(?: (name|name-prefix|subject))?", rest)
    return f'"{match[1]}" {match[2] or ""}'.rstrip() if match else rest


def _refusal(line: str) -> UnknownDirective:
    # SECURITY: the name only; what follows may be a secret.
    name = re.sub(r"[^A-Za-z0-9_<>/-]", "", line.split()[0])[:40]
    return UnknownDirective(
        f"The VPN profile has `{name}`, which is refused: it is unknown, or has an unknown form. "
        "Take it out of the profile at the VPN portal."
    )
