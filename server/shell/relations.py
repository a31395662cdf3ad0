"""What the objects of the shell have: columns, and relations to one or many others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from vantage6.common.errors import Invalid
from vantage6.models.store import promotions
from vantage6.models.tables.base import Table

#: The classes of the objects, by name: relations go in circles.
KINDS: dict[str, Any] = {}
#: Bring objects back to where they were, if what is being saved at this moment fails as a whole.
_steps: ContextVar[list[Callable[[], object]]] = ContextVar("steps")


def on_failure(step: Callable[[], object]) -> None:
    """Take a step back if what is being saved fails as a whole."""
    if (steps := _steps.get(None)) is not None:
        steps.append(step)


@contextmanager
def taking_back() -> Iterator[None]:
    """Save something; if that fails, all steps are taken back, the last one first."""
    steps: list[Callable[[], object]] = []
    before = _steps.set(steps)
    try:
        yield
    except BaseException:
        for step in reversed(steps):
            step()
        raise
    finally:
        _steps.reset(before)


class Column:
    """A column of the table.

    Parameters
    ----------
    about
        What it says, for `Entity.help`.
    given
        Turns an assigned value into the value of the row.
    shown
        Turns the value of the row into the value that is read.
    fixed
        It cannot be assigned.
    """

    def __init__(
        self,
        about: str = "",
        *,
        given: Callable[[Any], Any] | None = None,
        shown: Callable[[Any], Any] | None = None,
        fixed: bool = False,
    ) -> None:
        self.about = about
        self._given = given
        self._shown = shown
        self._fixed = fixed

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    def __get__(self, entity: Any, _: type) -> Any:
        if entity is None:
            return self
        value = getattr(entity.row, self.name)
        return self._shown(value) if self._shown and value is not None else value

    def __set__(self, entity: Any, value: Any) -> None:
        if self._fixed:
            raise Invalid(f"{self.name} cannot be changed.")
        if self._given is not None and value is not None:
            try:
                value = self._given(value)
            except ValueError as error:
                raise Invalid(f"{value!r} cannot be the {self.name}: {error}.") from error
        setattr(entity.row, self.name, value)


class Relation:
    """What an entity has to do with others.

    Parameters
    ----------
    kind
        Name of the class of the others.
    about
        What they are, for `Entity.help`.
    """

    def __init__(self, kind: str, about: str = "") -> None:
        self._kind = kind
        self.about = about

    @property
    def kind(self) -> Any:
        """Class of the others."""
        return KINDS[self._kind]

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name


class One(Relation):
    """The one entity that a column names; ``<name>_id`` is its number."""

    def __get__(self, entity: Any, _: type) -> Any:
        if entity is None:
            return self
        if self.name in entity.unsaved:
            return entity.unsaved[self.name]
        return self.kind.get(getattr(entity.row, f"{self.name}_id"))

    def __set__(self, entity: Any, value: Any) -> None:
        if value is not None and not isinstance(value, self.kind):
            raise Invalid(f"{self.name} must be a db.{self.kind.__name__}, not {value!r}.")
        entity.unsaved.pop(self.name, None)
        if value is not None and value.id is None:
            # Its number is known when it is saved, which `Entity.save` does first.
            entity.unsaved[self.name] = value
        setattr(entity.row, f"{self.name}_id", value and value.id)


class Many(Relation):
    """Entities that belong to this one: a list, whose changes count when it is saved.

    It follows the database until it is changed.
    """

    def __get__(self, entity: Any, _: type) -> Any:
        if entity is None:
            return self
        listed = entity.lists.setdefault(self.name, Listed())
        if not listed.changed:
            listed.known = [] if entity.id is None else self.read(entity)
            listed.items[:] = listed.known
        return listed.items

    def __set__(self, entity: Any, value: Any) -> None:
        items = self.__get__(entity, type(entity))
        try:
            items[:] = value
        except TypeError as error:
            raise Invalid(f"{self.name} must be a list.") from error

    def write(self, entity: Any) -> None:
        """Write what was put into the list and taken out of it."""
        listed = entity.lists.get(self.name)
        if listed is None or not listed.changed:
            return
        for item in listed.items:
            if not isinstance(item, self.kind):
                raise Invalid(f"{self.name} holds {item!r}, which is no db.{self.kind.__name__}.")
        for item in [item for item in listed.items if item not in listed.known]:
            if item.id is None and self.saved_first:
                item.save()
            self.add(entity, item)
        before = listed.known
        for item in [item for item in before if item not in listed.items]:
            self.remove(entity, item)
        on_failure(lambda: setattr(listed, "known", before))
        listed.known = list(listed.items)

    #: Whether a new entity in the list is saved before it is added.
    saved_first: ClassVar[bool] = True

    def read(self, entity: Any) -> list[Any]:
        """Return what is in the database."""
        raise NotImplementedError

    def add(self, entity: Any, item: Any) -> None:
        """Write that another one belongs to the entity."""
        raise NotImplementedError

    def remove(self, entity: Any, item: Any) -> None:
        """Write that one belongs to the entity no longer."""
        raise NotImplementedError


class Listed:
    """A list of related entities, and what of it is in the database."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.known: list[Any] = []

    @property
    def changed(self) -> bool:
        """The list was changed."""
        return self.items != self.known


class Owned(Many):
    """Entities with a column that names this one.

    Parameters
    ----------
    back
        The name of that relation.
    """

    saved_first = False

    def __init__(self, kind: str, back: str, about: str = "") -> None:
        super().__init__(kind, about)
        self.back = back

    def read(self, entity: Any) -> list[Any]:
        """Return what is in the database."""
        return list(self.kind.where(getattr(self.kind.table, self.back) == entity.id))

    def add(self, entity: Any, item: Any) -> None:
        """Let one name the entity."""
        setattr(item, self.back, entity)
        item.save()

    def remove(self, _: Any, item: Any) -> None:
        """Let the relation name no row."""
        setattr(item, self.back, None)
        item.save()


class Linked(Many):
    """Entities that a table of pairs connects with this one.

    Parameters
    ----------
    table
        The table of pairs.
    here, there
        Its columns, for this one and for the others.
    """

    def __init__(
        self,
        kind: str,
        table: type[Table],
        here: str,
        there: str,
        about: str = "",
    ) -> None:
        super().__init__(kind, about)
        self._table, self._here, self._there = table, here, there

    def read(self, entity: Any) -> list[Any]:
        """Return what is in the database."""
        ids = self._table.select(getattr(self._table, self._there)).where(
            getattr(self._table, self._here) == entity.id
        )
        return list(self.kind.where(self.kind.table.id.in_(ids)))

    def add(self, entity: Any, item: Any) -> None:
        """Write a pair."""
        pair = {self._here: entity.id, self._there: item.id}
        if self._table in promotions.TABLES:
            promotions.give(self._table, [pair])
            return
        self._table.insert(**pair).on_conflict_ignore().execute()

    def remove(self, entity: Any, item: Any) -> None:
        """Remove a pair."""
        self._table.delete().where(
            (getattr(self._table, self._here) == entity.id)
            & (getattr(self._table, self._there) == item.id)
        ).execute()
