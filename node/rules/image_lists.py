"""Lists of images, each by an expression or by a digest."""

import re
from collections.abc import Iterable

from vantage6.node.rules.findings import PolicyRequest, Verdict

_DIGEST = re.compile(r"(?:(?P<name>.*)@)?(?P<digest>sha256:[0-9a-f]{64})")


class ImageList:
    """A list of images, each by an expression or by a digest."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._expressions: list[re.Pattern[str]] = []
        #: Expression for the name, or None for the digest wherever it comes from; and the digest.
        self._digests: list[tuple[re.Pattern[str] | None, str]] = []
        for entry in entries:
            found = _DIGEST.fullmatch(entry)
            if found is None:
                self._expressions.append(re.compile(entry))
            else:
                name = found["name"]
                self._digests.append((re.compile(name) if name else None, found["digest"]))

    def __bool__(self) -> bool:
        return bool(self._expressions or self._digests)

    def judge(self, request: PolicyRequest) -> Verdict:
        """Say whether an image is on the list.

        `Verdict.OPEN` is for names whose digest has to be looked up. Only a name that an entry
        names is looked up: an entry without a name needs the digest in the reference.
        """
        # SECURITY: the whole reference has to match, or `^a/b` would also admit `a/bevil`.
        if any(expression.fullmatch(request.image) for expression in self._expressions):
            return Verdict.ALLOWED
        name, given = split_reference(request.image)
        wanted = {
            digest
            for expression, digest in self._digests
            if given in (None, digest)
            and (given is not None if expression is None else expression.fullmatch(name))
        }
        if not wanted:
            return Verdict.REFUSED
        if request.digests is None:
            return Verdict.OPEN
        return Verdict.ALLOWED if wanted & request.digests else Verdict.REFUSED


def split_reference(image: str) -> tuple[str, str | None]:
    """Return the name of a reference, without its tag, and the digest it carries."""
    found = _DIGEST.fullmatch(image)
    reference, digest = (found["name"] or "", found["digest"]) if found else (image, None)
    name, colon, tag = reference.rpartition(":")
    # What follows the last colon is a port, not a tag, if a slash comes after it.
    return (name if colon and "/" not in tag else reference), digest
