"""A network that fails: connections through it are cut, held up and cut short at random."""

import random
import socket
import threading
import time
from contextlib import suppress

from tests.services.forwarders import Forwarder

#: What may happen to a piece of what is sent, and how often.
_CUT, _HALF, _SLOW = 0.02, 0.02, 0.05
_LONGEST_DELAY_SECONDS = 0.5


class FlakyProxy(Forwarder):
    """Passes bytes between a port of loopback and another one, not all of them.

    Parameters
    ----------
    target
        The port that it hides; may be told later.
    seed
        Of the chance: the same one does the same to the same traffic.
    """

    def __init__(self, target: int, seed: int) -> None:
        super().__init__()
        self.target = target
        self._seed = seed
        self._number = 0
        #: How many connections were cut, and how many of these within what was sent.
        self.cut = self.truncated = 0

    def _begin(self, incoming: socket.socket) -> None:
        self._number += 1
        chance = random.Random(self._seed * 1_000_003 + self._number)
        threading.Thread(target=self._serve_at_risk, args=(incoming, chance), daemon=True).start()

    def _serve_at_risk(self, incoming: socket.socket, chance: random.Random) -> None:
        try:
            outgoing = socket.create_connection(("127.0.0.1", self.target), timeout=5)
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
