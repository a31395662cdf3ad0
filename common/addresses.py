"""Addresses as people write them: of a server, of what listens here, of a registry.

Each function returns the one form that is used further on, or raises `ValueError` with a sentence
that says how to write it. Programs, wizards and doctors use the same.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_SCHEMES = ("http", "https")
_MOST_PORT, _DIGITS = 65535, 5
#: Addresses on which a program hears everybody, and where it is found on its own machine.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
HUB = "docker.io"
#: The hosts of Docker Hub's registry.
HUB_HOSTS = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})
#: People write its website, too, which holds no images.
_WRITTEN_FOR_HUB = HUB_HOSTS | {"hub.docker.com"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is."""

    #: Scheme and host, such as ``https://v6.example.org``.
    host: str
    port: int | None
    #: Prefix of all routes: empty, or with a slash in front and none at its end.
    path: str

    @property
    def base(self) -> str:
        """The address of all routes."""
        return f"{self.host}:{self.port}{self.path}" if self.port else f"{self.host}{self.path}"


def server_address(url: str, port: int | str | None = None, path: str | None = "") -> ServerAddress:
    """Return where a server is, from its address, port and prefix.

    Port and prefix may stand in the address, too.

    Parameters
    ----------
    url
        Address with scheme.
    port
        Empty: the one in the address, or that of the scheme.
    path
        Prefix of all routes, with or without slashes.

    Raises
    ------
    ValueError
        If it is no address, or names two ports.
    """
    parts = _split(url)
    own_port = _own_port(parts)
    given = _port(port)
    if own_port and given and own_port != given:
        raise ValueError(
            f"The server address names port {own_port}, and the port is given as {given}: these "
            "are not the same port."
        )
    scheme = parts.scheme.lower()
    return ServerAddress(
        f"{scheme}://{_host(parts)}", given or own_port, _join(parts.path, path or "")
    )


def prefix(path: str) -> str:
    """Return the prefix of all routes: empty, or with a slash in front and none at its end."""
    parts = [part for part in path.strip().split("/") if part]
    return "".join(f"/{part}" for part in parts)


def listening(ip: str) -> str:
    """Return the address of this machine on which something listens, without brackets.

    Raises
    ------
    ValueError
        If it has a scheme, a port or a path.
    """
    text = ip.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if _is_ip(text):
        return text
    if not text or any(sign in text for sign in ":/[] "):
        raise ValueError(
            "an address of this machine is wanted here, such as 127.0.0.1, 0.0.0.0 or ::, without "
            "scheme and port"
        )
    return text


def near(ip: str) -> str:
    """Return where something that listens on an address is found on its own machine."""
    return _ANY.get(ip, ip)


def with_port(host: str, port: int) -> str:
    """Return host and port; an address of version 6 stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def registry(text: str) -> str:
    """Return the host of a registry, with its port, as in the name of an image.

    Scheme and path are left out, as ``docker login`` does.

    Raises
    ------
    ValueError
        If nothing is left.
    """
    rest = text.strip()
    scheme, separator, after = rest.partition("://")
    if separator and scheme.lower() in _SCHEMES:
        rest = after
    host = rest.partition("/")[0]
    if not host or any(sign in host for sign in " @\\"):
        raise ValueError("the host of a registry is wanted here, such as registry.example:5000")
    return HUB if host.lower() in _WRITTEN_FOR_HUB else host


def split_image(reference: str) -> tuple[str, str]:
    """Return the host that an engine asks for an image, and the rest of its reference.

    The host is what stands before the first slash, if that has a dot, a colon or a capital letter,
    or is ``localhost``; everything else is at Docker Hub.
    """
    host, slash, path = reference.partition("/")
    is_host = any(sign in host for sign in ".:") or host == "localhost" or host != host.lower()
    if not slash or not is_host:
        return HUB, reference
    return (HUB if host in HUB_HOSTS else host), path


def repository(text: str) -> str:
    """Return the one form of the name of an image: as Docker writes it, without what it adds.

    ``docker.io/library/redis``, ``index.docker.io/redis`` and ``redis`` are one image, and so are
    ``REG.example:443/a`` and ``reg.example/a``. A tag stays as it is.
    """
    host, path = split_image(text.strip())
    host = host.lower().removesuffix(":443")
    if host in HUB_HOSTS:
        return path.removeprefix("library/")
    return f"{host}/{path}"


def without_tag(reference: str) -> str:
    """Return the reference of an image without its tag; a port is none."""
    name, colon, tag = reference.rpartition(":")
    return name if colon and "/" not in tag else reference


def _split(url: str) -> SplitResult:
    text = url.strip()
    try:
        parts = urlsplit(_in_brackets(text))
    except ValueError as error:
        raise ValueError("The server address is no address; check its brackets.") from error
    if parts.scheme.lower() not in _SCHEMES or "://" not in text:
        # SECURITY: the beginning only; a password may stand before the host.
        shown = "" if "@" in text else f" {text!r}"
        raise ValueError(f"The server address{shown} must start with https:// or http://.")
    if "@" in parts.netloc:
        raise ValueError("The server address must hold no user and no password.")
    if parts.query or parts.fragment:
        raise ValueError("The server address ends with the path: leave out what follows ? or #.")
    if not parts.hostname or any(sign.isspace() or sign == "\\" for sign in parts.netloc):
        hint = "; an IPv6 address stands in brackets" if parts.netloc.count(":") > 1 else ""
        raise ValueError(f"The server address {text!r} names no host{hint}.")
    return parts


def _in_brackets(url: str) -> str:
    """Put an address of version 6 into brackets where it stands without."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if host.count(":") > 1 and _is_ip(host):
        return f"{scheme}{separator}[{host}]{slash}{path}"
    return url


def _own_port(parts: SplitResult) -> int | None:
    try:
        return _port(parts.port)
    except ValueError as error:
        raise ValueError(
            f"The server address has no valid port: a number from 1 to {_MOST_PORT}."
        ) from error


def _port(port: int | str | None) -> int | None:
    if port is None or port == "":
        return None
    if isinstance(port, int) and not isinstance(port, bool):
        number = int(port)
    else:
        text = str(port).strip()
        number = int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
    if not 1 <= number <= _MOST_PORT:
        raise ValueError(f"The port {port!r} is not a number from 1 to {_MOST_PORT}.")
    return number


def _host(parts: SplitResult) -> str:
    """Return the host as it is written, without port."""
    if parts.netloc.startswith("["):
        return parts.netloc.partition("]")[0] + "]"
    return parts.netloc.partition(":")[0]


def _join(above: str, path: str) -> str:
    """Return both paths, one below the other; a path that stands in both counts once."""
    first, second = prefix(above), prefix(path)
    return first if first.endswith(second) else first + second


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
