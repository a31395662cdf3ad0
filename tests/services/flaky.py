"""A network that fails: connections through it are cut, held up and cut short at random."""

import random
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

#: What may happen to a piece of what is sent, and how often.
_CUT, _HALF, _SLOW = 0.02, 0.02, 0.05
_LONGEST_DELAY_SECONDS = 0.5


class FlakyProxy:
    """Passes bytes between a port of loopback and another one, not all of them.

    Parameters
    ----------
    target
        The port that it hides.
    seed
        Of the chance: the same one does the same to the same traffic.
    """

    def __init__(self, target: int, seed: int) -> None:
        self._target = target
        self._seed = seed
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        #: How many connections were cut, and how many of these within what was sent.
        self.cut = self.truncated = 0
        self._thread = threading.Thread(target=self._accept)

    def _accept(self) -> None:
        number = 0
        while not self._over.is_set():
            with suppress(TimeoutError):
                incoming, _ = self._listener.accept()
                number += 1
                chance = random.Random(self._seed * 1_000_003 + number)
                threading.Thread(target=self._serve, args=(incoming, chance), daemon=True).start()

    def _serve(self, incoming: socket.socket, chance: random.Random) -> None:
        try:
            outgoing = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            incoming.close()
            return
        incoming.settimeout(120)
        outgoing.settimeout(120)
        back = threading.Thread(target=self._pass, args=(outgoing, incoming, chance), daemon=True)
        back.start()
        self._pass(incoming, outgoing, chance)
        back.join()
        incoming.close()
        outgoing.close()

    def _pass(self, source: socket.socket, sink: socket.socket, chance: random.Random) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if self._over.is_set():
                    break
                fate = chance.random()
                if fate < _CUT:
                    self.cut += 1
                    break
                if fate < _CUT + _HALF:
                    self.cut += 1
                    self.truncated += 1
                    sink.sendall(piece[: len(piece) // 2])
                    break
                if fate < _CUT + _HALF + _SLOW:
                    time.sleep(chance.uniform(0, _LONGEST_DELAY_SECONDS))
                sink.sendall(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()
