"""What the objects of the shell have in common: rows that are read, changed and saved."""

import inspect
from functools import partial
from typing import Any, ClassVar, Self

import peewee

from vantage6.common.cli import console
from vantage6.common.errors import Conflict, Invalid
from vantage6.models.database import db
from vantage6.server.shell.relations import (
    KINDS,
    Column,
    Listed,
    Many,
    One,
    on_failure,
    taking_back,
)

#: Length of the summary of an object.
_SHOWN = 60
#: Methods of the entities that are not for the people at the shell.
_OWN = ("insert", "update", "remove", "write_relations", "of", "where", "first")
#: What `Entity.get` is not given when it is given nothing.
_ALL: Any = object()


class Entity:
    """A row of a table. Nothing is written before `save`."""

    table: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    def __init__(self, **values: Any) -> None:
        self._adopt(self.table())
        for name, value in values.items():
            setattr(self, name, value)

    def _adopt(self, row: Any) -> None:
        object.__setattr__(self, "row", row)
        object.__setattr__(self, "unsaved", {})
        object.__setattr__(self, "lists", {})

    row: Any
    #: Related entities that have no number yet, by the name of the relation.
    unsaved: "dict[str, Entity]"
    lists: dict[str, Listed]

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return the entity of a row."""
        entity = cls.__new__(cls)
        entity._adopt(row)
        return entity

    @classmethod
    def where(cls, condition: Any) -> list[Self]:
        """Return the entities that fit a condition, oldest first."""
        rows = cls.table.select().where(condition).order_by(cls.table.id)
        return [cls.of(row) for row in rows]

    @classmethod
    def first(cls, condition: Any) -> Self | None:
        """Return the oldest entity that fits a condition, or None."""
        return next(iter(cls.where(condition)), None)

    @classmethod
    def get(cls, id_: Any = _ALL) -> Any:
        """Return all in the database or, with a number, the one that has it, or None."""
        if id_ is _ALL:
            return cls.where(True)
        return None if id_ is None else cls.first(cls.table.id == id_)

    @classmethod
    def help(cls) -> None:
        """Print what is stored in it."""
        console.say(f"db.{cls.__name__}: {inspect.getdoc(cls)}\n")
        parts = _parts(cls)
        for title, kinds in (("Properties", (Column,)), ("Relations", (One, Many))):
            console.say(f"{title}:")
            for name, part in parts.items():
                if isinstance(part, kinds):
                    many = f" (list of {part.kind.__name__})" if isinstance(part, Many) else ""
                    console.say(f"  {name:<22}{part.about}{many}".rstrip())
        console.say("Computed, and methods:")
        for name, text in sorted(_methods(cls).items()):
            console.say(f"  {name:<22}{text}")

    def save(self) -> None:
        """Store it in the database, and what it refers to if that is new; all or nothing."""
        if db.in_transaction():
            self._save()
            return
        try:
            with taking_back(), db.atomic():
                self._save()
        except peewee.IntegrityError as error:
            raise Conflict(f"The database refuses {self!r}: {_reason(error)}.") from error

    def _save(self) -> None:
        for name, other in list(self.unsaved.items()):
            # Steps are taken back in reverse: by then the other has no number again.
            on_failure(partial(setattr, self, name, other))
            if other.id is None:
                other.save()
            setattr(self, name, other)
        row = self.row
        if self.id is None:
            on_failure(lambda: row.__data__.pop("id", None))
            self.insert()
        elif row.is_dirty():
            changed = list(row.dirty_fields)
            on_failure(lambda: row._dirty.update(field.name for field in changed))
            self.update()
        self.write_relations()

    def write_relations(self) -> None:
        """Write what lies in other tables."""
        for part in _parts(type(self)).values():
            if isinstance(part, Many):
                part.write(self)

    def delete(self) -> None:
        """Remove it from the database."""
        if self.id is None:
            raise Conflict(f"{self!r} was never saved.")
        try:
            self.remove()
        except peewee.IntegrityError as error:
            raise Conflict(
                f"{self!r} cannot be removed while others refer to it: {_reason(error)}."
            ) from error

    def insert(self) -> None:
        """Write a new row."""
        self.row.save(force_insert=True)

    def update(self) -> None:
        """Write the columns that were changed."""
        self.row.save(only=self.row.dirty_fields)

    def remove(self) -> None:
        """Delete the row."""
        with db.atomic():
            self.row.delete_instance()

    @property
    def id(self) -> int | None:
        """Its number, from when it is saved."""
        number: int | None = self.row.id
        return number

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), Column | One | Many):
            object.__setattr__(self, name, value)
            return
        relation = name.removesuffix("_id")
        if name != relation and isinstance(getattr(type(self), relation, None), One):
            self.unsaved.pop(relation, None)
            setattr(self.row, name, value)
            return
        raise Invalid(
            f"db.{type(self).__name__} has no {name!r} to be set; "
            f"`db.{type(self).__name__}.help()` shows what it has."
        )

    def __getattr__(self, name: str) -> Any:
        relation = name.removesuffix("_id")
        if name != relation and isinstance(getattr(type(self), relation, None), One):
            return getattr(self.row, name)
        raise AttributeError(
            f"db.{type(self).__name__} has no {name!r}; "
            f"`db.{type(self).__name__}.help()` shows what it has."
        )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self.id is not None and self.id == other.id

    def __hash__(self) -> int:
        # A number is given once, and a list of entities may be searched before and after.
        return hash(type(self))

    def __repr__(self) -> str:
        number = "new" if self.id is None else self.id
        return f"<{type(self).__name__} {number}: {self._summary()[:_SHOWN]}>"

    def _summary(self) -> str:
        return str(getattr(self.row, "name", None) or "")


def _parts(cls: type[Entity]) -> dict[str, Any]:
    """Return columns and relations of a class, by name."""
    return {
        name: part
        for one in reversed(cls.__mro__)
        for name, part in vars(one).items()
        if isinstance(part, Column | One | Many)
    }


def _methods(cls: type[Entity]) -> dict[str, str]:
    """Return the other public names of a class, with the first line about each."""
    hidden = {*_OWN, "row", "unsaved", "lists", "table"}
    found = {}
    for name, value in inspect.getmembers(cls):
        if name.startswith("_") or name in hidden or isinstance(value, Column | One | Many):
            continue
        if text := inspect.getdoc(value) if callable(value) or isinstance(value, property) else "":
            found[name] = text.splitlines()[0]
    return found


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
