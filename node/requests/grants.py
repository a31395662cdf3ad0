"""Standing approvals: what may run here without asking again. What no grant names is not granted.

All are in one file, ``requests/grants.json``.
"""

import builtins
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from vantage6.common import clock
from vantage6.common.durable_files import mark_of
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.terminal_text import quote
from vantage6.node.requests.asked import Arguments, Asked
from vantage6.node.requests.folder import Damaged, RequestFolder
from vantage6.node.requests.held_request import same_people

#: Grants of one station at once.
MOST_GRANTS = 1000
#: How often a grant that says how often may count.
MOST_TIMES = 10_000
_MOST_NOTE = 500
_MOST_LIMIT_BYTES = 65_536
_MOST_ID = 40


@dataclass(frozen=True, slots=True)
class Limit:
    """The values that one argument may have."""

    #: None where any value is allowed.
    values: tuple[Any, ...] | None = None

    def describe(self) -> str:
        """Return the values, as words for people."""
        if self.values is None:
            return "= anything"
        # Only ASCII: what resembles another letter is spell_out.
        return f"= {' or '.join(map(_as_json, self.values))}"

    def allows(self, value: Any) -> bool:
        """Tell whether an argument may have a value."""
        # SECURITY: as JSON. For Python, True is 1 and 1.0.
        return self.values is None or _as_json(value) in map(_as_json, self.values)


@dataclass(frozen=True, slots=True)
class Grant:
    """One standing approval. Everything that it names has to be the same in a request."""

    #: Of the image: its id, or a digest of a registry.
    digest: str
    function: str
    is_central: bool
    #: The organization that asks for the first task of the run.
    organization_id: int
    database: str
    #: The user that asks; None for everybody of the organization.
    user_id: int | None = None
    #: Other organizations that may pass the question on, as those where a central function runs.
    through: tuple[int, ...] = ()
    #: Limits by the name of the argument, of which all have to be there and no others; None for
    #: any arguments.
    arguments: Mapping[str, Limit] | None = None
    until: datetime | None = None
    #: How often it counts; None without bound.
    times: int | None = None
    note: str = ""
    #: The person that gave it, and when.
    by: str = ""
    #: The second person, where two have to approve.
    confirmed_by: str = ""
    at: datetime = field(default_factory=clock.now)
    id: str = ""
    #: What it counted for, where it says how often: a result and its input each.
    used: tuple[str, ...] = ()

    def fits(self, asked: Asked, now: datetime) -> bool:
        """Tell whether this covers a request at a moment, apart from how often.

        SECURITY: exact, and no where anything is not known.
        """
        return (
            self.digest in asked.digests
            and asked.function.name is not None
            and (asked.function.name, asked.function.is_central) == (self.function, self.is_central)
            and asked.organization_id == self.organization_id
            and (self.user_id is None or asked.user_id == self.user_id)
            and asked.through is not None
            and set(asked.through) <= set(self.through)
            and asked.database == self.database
            and self._allows(asked.arguments)
            and (self.until is None or now < self.until)
        )

    def has_turns(self, use: str) -> bool:
        """Tell whether it counts for one more request, or did for this one."""
        return self.times is None or use in self.used or len(self.used) < self.times

    def has_people(self, needed: int, users: frozenset[str] = frozenset()) -> bool:
        """Tell whether so many different people gave it, without those that ask for what it covers.

        Parameters
        ----------
        needed
            How many; one person may grant what the same person asks for.
        users
            The users that ask, as `same_people` returns them.
        """
        return needed <= 1 or len(same_people((self.by, self.confirmed_by)) - users) >= needed

    def _allows(self, arguments: Arguments | None) -> bool:
        if self.arguments is None:
            return True
        if arguments is None or arguments.keys() != self.arguments.keys():
            return False
        return all(self.arguments[name].allows(value) for name, value in arguments.items())

    def describe(self) -> str:
        """Return what it covers, as a line for people."""
        asks = f"user {self.user_id} of " if self.user_id is not None else ""
        kind = "central" if self.is_central else "partial"
        parts = [
            f"{quote(self.function)} ({kind}) of {self.digest[:19]}…",
            f"asked by {asks}organization {self.organization_id}",
            f"on {quote(self.database)}",
        ]
        if self.through:
            parts.append(f"through {', '.join(map(str, self.through))}")
        if self.arguments is None:
            parts.append("with any arguments")
        else:
            limits = [f"{quote(name)} {limit.describe()}" for name, limit in self.arguments.items()]
            parts.append("with " + (", ".join(limits) or "no arguments"))
        if self.until is not None:
            parts.append(f"until {self.until:%Y-%m-%d %H:%M} UTC")
        if self.times is not None:
            parts.append(f"{len(self.used)} of {self.times} times used")
        people = " and ".join(quote(name) for name in (self.by, self.confirmed_by) if name)
        note = f" {quote(self.note)}" if self.note else ""
        return f"{'; '.join(parts)}. By {people}, {self.at:%Y-%m-%d}.{note}"

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self) | {
            "at": self.at.isoformat(),
            "until": self.until.isoformat() if self.until else None,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        arguments, until = values["arguments"], values["until"]
        grant = cls(
            **values
            | {
                "through": tuple(values["through"]),
                "used": tuple(values["used"]),
                "arguments": None
                if arguments is None
                else {name: _limit(limit) for name, limit in arguments.items()},
                "until": clock.parse(until) if until else None,
                "at": clock.parse(values["at"]),
            }
        )
        grant.check()
        return grant

    def check(self) -> None:
        """Return if every part has a form that can be compared.

        Raises
        ------
        Invalid
            If one has not.
        """
        if not _is_digest(self.digest):
            raise Invalid("A grant names an image by its digest: sha256: and 64 digits.")
        for what, text in (("function", self.function), ("database", self.database)):
            if not isinstance(text, str) or not 1 <= len(text) <= _MOST_NOTE:
                raise Invalid(f"A grant names one {what}.")
        ids = (
            self.organization_id,
            *self.through,
            *(() if self.user_id is None else (self.user_id,)),
        )
        if any(isinstance(id_, bool) or not isinstance(id_, int) or id_ < 1 for id_ in ids):
            raise Invalid("A grant names organizations and users by their ids.")
        if self.times is not None and not 1 <= self.times <= MOST_TIMES:
            raise Invalid(f"A grant counts 1 to {MOST_TIMES} times, or without bound.")
        if self.until is not None and self.until.tzinfo is None:
            raise Invalid("The end of a grant is a time with its offset.")
        if len(_as_json(self.to_json()["arguments"])) > _MOST_LIMIT_BYTES:
            raise Invalid("The limits of the arguments are too long.")


class Grants:
    """All grants of one node. Safe for threads and processes.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
        self._folder = RequestFolder(data)
        self._path = self._folder.path / "grants.json"
        #: The grants as they were read last, and the mark of their file then.
        self._read: tuple[object, tuple[Grant, ...]] = (None, ())

    @property
    def mark(self) -> object:
        """What differs after each change of a grant."""
        return mark_of(self._path)

    def list(self) -> builtins.list[Grant]:
        """Return all grants, the oldest first, also those whose time is over.

        Raises
        ------
        Damaged
            If the file cannot be read.
        """
        values = self._folder.read(self._path)
        try:
            return [Grant.from_json(one) for one in values or ()]
        except (ValueError, KeyError, TypeError, AttributeError, Invalid) as error:
            raise Damaged(f"{self._path} is damaged: move it away, and grant again") from error

    def add(self, grant: Grant) -> Grant:
        """Keep a grant, and return it with the id that it gets.

        Raises
        ------
        Invalid
            If a part of it has a wrong form.
        Conflict
            If there are too many.
        """
        note = grant.note[:_MOST_NOTE]
        grant = replace(grant, id=uuid4().hex[:12], note=note, used=())
        with self._folder.lock():
            self._write([*self.check_new(grant), grant])
        return grant

    def check_new(self, grant: Grant) -> builtins.list[Grant]:
        """Return the grants that there are, if one more can be added.

        Raises
        ------
        Invalid
            If a part of it has a wrong form.
        Conflict
            If there are too many.
        """
        grant.check()
        found = self.list()
        if len(found) >= MOST_GRANTS:
            raise Conflict(f"There are {len(found)} grants. Revoke some of them first.")
        return found

    def revoke(self, id_: str) -> Grant:
        """Remove a grant, and return it. What runs by it goes on.

        Raises
        ------
        NotFound
            If there is none with the id.
        """
        with self._folder.lock():
            found = self.list()
            revoked = self._get(found, id_)
            self._write([grant for grant in found if grant.id != id_])
        return revoked

    def confirm(self, id_: str, by: str) -> Grant:
        """Confirm a grant in the name of a second person, where two have to approve.

        Raises
        ------
        NotFound
            If there is none with the id.
        Forbidden
            If it is the person that gave it.
        Conflict
            If it is confirmed already.
        """
        with self._folder.lock():
            found = self.list()
            given = self._get(found, id_)
            if same_people([given.by]) == same_people([by]):
                raise Forbidden(f"{by} gave the grant; another person has to confirm it.")
            if given.confirmed_by:
                raise Conflict(f"{given.confirmed_by} has confirmed the grant {given.id} already.")
            confirmed = replace(given, confirmed_by=by)
            self._write([confirmed if one.id == given.id else one for one in found])
        return confirmed

    def find(
        self, asked: Asked, use: str, people: int = 1, users: frozenset[str] = frozenset()
    ) -> Grant | None:
        """Return a grant that covers a request; it does not count yet.

        Parameters
        ----------
        asked
            The request.
        use
            What stands for this one request, and no other.
        people
            How many people must have given it.
        users
            The users that ask, who are none of them.
        """
        # PERF: thousands of requests may wait, and are compared after each change of a grant.
        mark, read = self.mark, self._read
        if mark is None or read[0] != mark:
            read = self._read = mark, tuple(self.list())
        return _first(read[1], asked, use, people, users)

    def use(
        self, asked: Asked, use: str, people: int = 1, users: frozenset[str] = frozenset()
    ) -> Grant | None:
        """Return a grant that covers a request, and count it; once for each request.

        SECURITY: it has counted on disk before anything starts.
        """
        if self.find(asked, use, people, users) is None:
            return None
        with self._folder.lock():
            grants = self.list()
            grant = _first(grants, asked, use, people, users)
            if grant is None or grant.times is None or use in grant.used:
                return grant
            used = replace(grant, used=(*grant.used, use))
            try:
                self._write([used if one.id == grant.id else one for one in grants])
            except Conflict:
                return None  # what cannot be counted is not granted: a person is asked
        return used

    @staticmethod
    def _get(grants: "builtins.list[Grant]", id_: str) -> Grant:
        for grant in grants:
            if grant.id == id_:
                return grant
        raise NotFound(f"There is no grant {id_[:_MOST_ID]}. `vnode grants list` names them all.")

    def _write(self, grants: builtins.list[Grant]) -> None:
        self._folder.write(self._path, [grant.to_json() for grant in grants])


def _first(
    grants: Iterable[Grant], asked: Asked, use: str, people: int, users: frozenset[str]
) -> Grant | None:
    now = clock.now()
    for grant in grants:
        if grant.fits(asked, now) and grant.has_turns(use) and grant.has_people(people, users):
            return grant
    return None


def _limit(limit: Mapping[str, Any]) -> Limit:
    # SECURITY: of a limit that an older version knew, nothing is left out: no range is no limit.
    if any(limit.get(name) is not None for name in limit.keys() - {"values"}):
        raise ValueError("a limit of another kind than values")
    return Limit(None if limit["values"] is None else tuple(limit["values"]))


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _is_digest(text: Any) -> bool:
    kind, _, digits = text.partition(":") if isinstance(text, str) else ("", "", "")
    return kind == "sha256" and len(digits) == 64 and not set(digits) - set("0123456789abcdef")
