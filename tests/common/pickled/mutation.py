"""Damages pickles, and tells what comes of it; a program, because a reader may end its process.

python -m tests.common.pickled.mutation SEED COUNT
"""

import faulthandler
import os
import pickle
import pickletools
import random
import resource
import struct
import sys
import warnings
from collections import Counter
from typing import Any

from tests.common.pickled import reference
from vantage6.common import pickles
from vantage6.common.errors import SerializationError

_MEMORY = 2**30
_SECONDS = 20
_NUMBERS = [0, 1, -1, 2, 3, 7, 8, 63, 127, 128, 255, 256, 2**31 - 1, 2**31, 2**32, 2**63, -(2**63)]
_TEXTS = ["O8", "O", "i8", "f8", "U1", "M8", "V8", "b1", "<", ">", "|", "", "name", "data"]

Token = tuple[str, Any, bytes]


def tokens(data: bytes) -> list[Token]:
    """Return the operations of a pickle: name, argument and bytes."""
    found = [(code.name, argument, place) for code, argument, place in pickletools.genops(data)]
    ends = [place for *_, place in found[1:]] + [len(data)]
    return [
        (name, argument, data[place:end])
        for (name, argument, place), end in zip(found, ends, strict=True)
    ]


def mutated(chance: random.Random, parts: list[Token], others: list[Token]) -> bytes:
    """Return a pickle with some damage."""
    changed = [content for *_, content in parts]
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        place = chance.randrange(len(changed))
        kind = chance.randrange(8)
        if kind == 0:  # anything else
            content = bytearray(changed[place])
            content[chance.randrange(len(content) or 1) :][:1] = bytes([chance.randrange(256)])
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
            changed[place] = bytes(content)
        elif kind == 1:  # something that is not there
            changed[place] = b""
        elif kind == 2:  # something twice
            changed.insert(place, changed[place])
        elif kind == 3:  # two things in the wrong order
            other = chance.randrange(len(changed))
            changed[place], changed[other] = changed[other], changed[place]
        elif kind == 4:  # something of another pickle
            changed[place] = chance.choice(others)[2]
        else:  # another number, text or place of the same sort
            changed[place] = _argument(chance, parts, place, changed[place])
    return b"".join(changed)


def _argument(chance: random.Random, parts: list[Token], near: int, unchanged: bytes) -> bytes:
    """Return an operation with another argument."""
    argument = parts[near][1] if near < len(parts) else None
    if type(argument) is int and parts[near][0] == "BINGET":
        return b"h" + bytes([chance.randrange(min(argument + 8, 256))])
    if type(argument) in (int, float, bool):
        return pickle.dumps(chance.choice(_NUMBERS), 2)[2:-1]
    if type(argument) is str:
        texts = [part for _, part, _ in parts if type(part) is str and len(part) < 100] + _TEXTS
        text = chance.choice(texts).encode("utf-8", "surrogatepass")
        return b"X" + struct.pack("<I", len(text)) + text
    if isinstance(argument, bytes | bytearray):
        content = bytearray(argument)
        for _ in range(min(len(content), 3)):
            content[chance.randrange(len(content))] = chance.choice([0, 1, 127, 128, 255])
        content = content[: chance.choice([None, -1, 8, 0])]
        return b"B" + struct.pack("<I", len(content)) + bytes(content)
    return unchanged


def outcome(data: bytes) -> str:
    """Return what comes of a damaged pickle: refused, right, or what else."""
    faulthandler.dump_traceback_later(_SECONDS, exit=True)
    try:
        found = pickles.read(data)
    except SerializationError:
        return "refused"
    finally:
        faulthandler.cancel_dump_traceback_later()
    # What Python makes of it can end the process, and is no fault of ours.
    child = os.fork()
    if not child:
        os._exit(_judge(found, data))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "unknown"
    return ("right", "wrong", "unknown")[os.WEXITSTATUS(status)]


def _judge(found: Any, data: bytes) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        expected = reference.load(data)
    except BaseException:
        return 2
    try:
        differs = reference.difference(found, expected)
    except BaseException:
        return 2
    if differs:
        print("wrong:", differs[:500], data, flush=True)  # noqa: T201
    return 1 if differs else 0


def main(seed: int, count: int) -> None:
    """Damage pickles of all versions, and print how many came to what."""
    warnings.simplefilter("ignore")
    chance = random.Random(seed)
    contents = [item for path in reference.ARCHIVES for item in reference.archived(path)]
    others = [part for _, data in chance.sample(contents, 50) for part in tokens(data)]
    pickles.read(contents[-1][1])  # with everything imported, before memory is bounded
    with open("/proc/self/statm") as file:  # noqa: PTH123
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        _, data = chance.choice(contents)
        outcomes[outcome(mutated(chance, tokens(data), others))] += 1
    print(dict(outcomes))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
