"""Makes one socket in a network namespace that a rootless engine's user owns, and hands it over.

A program of its own, as only a process with a single thread can join a user namespace. It runs
without an environment and without installed packages, hence it knows the standard library only.
"""

import ctypes
import errno
import fcntl
import os
import socket
import sys

_NS_GET_USERNS = 0xB701
_NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
_BACKLOG = 64


def join(namespace: int, kind: int) -> None:
    """Let the calling thread join a namespace.

    Raises
    ------
    PermissionError
        If it may not.
    """
    if hasattr(os, "setns"):  # Python 3.12 and later
        os.setns(namespace, kind)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def listen(host: str, port: int = 0) -> socket.socket:
    """Return a socket that listens on an address.

    Raises
    ------
    OSError
        If the address is not ours or the port is taken.
    """
    return socket.create_server((host, port), backlog=_BACKLOG)


def make(verb: str, host: str, port: int, seconds: float) -> socket.socket:
    """Return a socket that listens, or else a connection.

    Raises
    ------
    OSError
        As `listen`; or if the helper does not answer in time.
    """
    if verb == "listen":
        return listen(host, port)
    return socket.create_connection((host, port), seconds)


def main(verb: str, host: str, port: int, seconds: float, namespace: int, channel: int) -> None:
    """Make the socket and send it, or else the number of the error."""
    with socket.socket(fileno=channel) as way:
        try:
            # Who owns a user namespace has all rights in it once inside.
            join(fcntl.ioctl(namespace, _NS_GET_USERNS), _NEW_USER)
            join(namespace, NEW_NETWORK)
            made = make(verb, host, port, seconds)
        except OSError as error:
            # Python's own time-outs have no number.
            way.send(str(error.errno or errno.ETIMEDOUT).encode())
        else:
            made.setblocking(True)
            socket.send_fds(way, [b"0"], [made.fileno()])


if __name__ == "__main__":
    verb_, host_, port_, seconds_, namespace_, channel_ = sys.argv[1:]
    main(verb_, host_, int(port_), float(seconds_), int(namespace_), int(channel_))
