"""The users of the federation, one for each role."""

from contextlib import closing
from dataclasses import dataclass

from vantage6.sandbox.federation import PASSWORD, Federation


@dataclass(frozen=True)
class Person:
    """A user who signs in.

    Parameters
    ----------
    username, password
        What the user types.
    role
        The default role that the user has.
    """

    username: str
    password: str
    role: str


#: By the names that tests use. All but root belong to the first organization.
PEOPLE = {
    "researcher": Person("rosa", PASSWORD, "Researcher"),
    "organization_admin": Person("olga", PASSWORD, "Organization Admin"),
    "collaboration_admin": Person("carla", PASSWORD, "Collaboration Admin"),
    "viewer": Person("victor", PASSWORD, "Viewer"),
    "root": Person("root", "root", "Root"),
}


def register(federation: Federation) -> None:
    """Make the users at a server."""
    with closing(federation.client("root", "root")) as root:
        roles = {role["name"]: role["id"] for role in root.role.list(include_metadata=False)}
        first = next(iter(federation.ids.values()))
        for person in PEOPLE.values():
            if person.username != "root":
                root.user.create(
                    username=person.username,
                    firstname=person.username.title(),
                    lastname="Example",
                    password=person.password,
                    email=f"{person.username}@example.org",
                    organization=first,
                    roles=[roles[person.role]],
                )
