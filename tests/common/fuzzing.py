"""What the fuzz of the decoders is made of."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hypothesis import strategies as st

#: Far more than any of these small inputs needs, on a machine that does other things too.
_SECONDS = 5
_MEMORY = 2**30

#: Anything that JSON, YAML or a queue may hold, of any shape.
KEYS = st.text(max_size=8) | st.integers() | st.none() | st.booleans() | st.floats() | st.dates()
LEAVES = KEYS | st.datetimes() | st.binary(max_size=8)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
#: What breaks parsers: endless brackets, endless digits.
DEEP = st.sampled_from(["[" * 50_000, '{"a":' * 50_000, "9" * 5_000, "[" + "9" * 5_000 + "]"])


def fails_only_with(
    errors: type[Exception] | tuple[type[Exception], ...], decode: Callable[..., Any], *given: Any
) -> None:
    """Decode something; fail if that raises another error, or takes long."""
    accepted = errors if isinstance(errors, tuple) else (errors,)
    with suppress(*accepted), limited():
        decode(*given)


@contextmanager
def limited() -> Iterator[None]:
    """Bound the memory of this process, and fail if the time was long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:  # noqa: PTH123 - called some thousand times
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, hard))
    started = time.monotonic()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        assert time.monotonic() - started < _SECONDS
