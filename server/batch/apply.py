"""What a batch import does to the database: everything in one transaction, or nothing.

What is there is found by its name. It is completed and brought to what the file says, except for
secrets and keys: those of what exists may have been changed by their owners since, and stay. So a
second import changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from vantage6.api.identity import passwords
from vantage6.common.config import Instance
from vantage6.common.errors import Invalid
from vantage6.common.secret_files import hash_secret
from vantage6.models.database import db
from vantage6.models.store import collaborations, nodes, organizations, roles, tasks, users
from vantage6.models.tables import (
    TABLES,
    Collaboration,
    Node,
    Organization,
    Role,
    RoleRule,
    Rule,
    Task,
    User,
)
from vantage6.server import inputs
from vantage6.server.batch.file import (
    BatchFile,
    CollaborationEntry,
    Location,
    OrganizationEntry,
    ParticipantEntry,
    UserEntry,
)
from vantage6.server.setup import set_up_connected

#: The role of imported users, one in each organization.
SUPER = "super"
TASK_NAME = "Example task"

#: What belongs to an organization, beside its name.
_FIELDS = ("domain", "address1", "address2", "zipcode", "country")
_PERSON = ("firstname", "lastname", "email")


class Import:
    """One run of an import.

    Parameters
    ----------
    instance
        The server.
    file
        What to import.
    """

    def __init__(self, instance: Instance, file: BatchFile) -> None:
        self._instance = instance
        self._file = file
        #: What was done, in words.
        self.changes: list[str] = []
        #: What is there in another form and stays so.
        self.kept: list[str] = []
        #: API keys that were made, by the names of their nodes; nothing can show them again.
        self.keys: dict[str, str] = {}
        self._passwords: dict[str, str] = {}

    def run(self, *, drop_all: bool = False, dry: bool = False) -> None:
        """Import the file.

        Parameters
        ----------
        drop_all
            Remove everything else first.
        dry
            Only find out what would change.

        Raises
        ------
        Invalid
            If something in the file does not fit what is there.
        """
        self._hash_passwords(everybody=drop_all)
        with db.atomic() as transaction:
            if drop_all:
                self._drop_all()
            for i, organization in enumerate(self._file.entries.organizations or ()):
                self._organization(("organizations", i), organization)
            for i, collaboration in enumerate(self._file.entries.collaborations or ()):
                self._collaboration(("collaborations", i), collaboration)
            if dry:
                self.keys.clear()
                transaction.rollback()

    def _hash_passwords(self, *, everybody: bool) -> None:
        """Hash the passwords of new users: it takes its time, in which others may write."""
        for organization in self._file.entries.organizations or ():
            for user in organization.users or ():
                if everybody or users.find_by_name(user.username) is None:
                    password = user.password.get_secret_value()
                    self._passwords[user.username] = passwords.hash_password(password)

    def _drop_all(self) -> None:
        """Leave what the first start makes.

        Every row is removed but the rules and the default roles, which belong to the server.

        SECURITY: not the tables, which would give out their numbers again, and with them the rights
        that are written in tokens.
        """
        for table in reversed(TABLES):
            if table is Role:
                Role.delete().where(Role.organization.is_null(False)).execute()
            elif table not in (Rule, RoleRule):
                table.delete().execute()
        set_up_connected(self._instance)
        self.changes.append("everything in the database is removed, and root made anew")

    def _organization(self, location: Location, entry: OrganizationEntry) -> None:
        row = Organization.get_or_none(Organization.name == entry.name)
        given = {name: getattr(entry, name) for name in _FIELDS if getattr(entry, name)}
        if row is None:
            row = organizations.create(name=entry.name, public_key=entry.public_key or "", **given)
            self.changes.append(f"organization {entry.name} is made")
        else:
            if entry.public_key and not row.public_key:
                given["public_key"] = entry.public_key
            elif entry.public_key and row.public_key != entry.public_key:
                self.kept.append(f"organization {entry.name} has another public key, which stays")
            self._update(f"organization {entry.name}", row, given, organizations.update)
        for i, user in enumerate(entry.users or ()):
            self._user((*location, "users", i), user, row)

    def _user(self, location: Location, entry: UserEntry, organization: Organization) -> None:
        row = users.find_by_name(entry.username)
        given = {name: getattr(entry, name) for name in _PERSON if getattr(entry, name)}
        if entry.email:
            holder = User.get_or_none(User.email == entry.email)
            if holder and holder.username != entry.username:
                self._file.fail(
                    (*location, "email"), f"user {holder.username} has this e-mail address already."
                )
        if row is None:
            row = users.create(
                username=entry.username,
                password=self._passwords[entry.username],
                organization_id=organization.id,
                **{name: getattr(entry, name) for name in _PERSON},
            )
            self.changes.append(f"user {entry.username} is made")
        elif row.organization_id != organization.id:
            self._file.fail(
                (*location, "username"), f"user {entry.username} belongs to another organization."
            )
        else:
            self._update(f"user {entry.username}", row, given, users.update)
        if not entry.roles:
            self._give(row, self._super_role(organization))
        for i, name in enumerate(entry.roles or ()):
            self._give(row, self._role((*location, "roles", i), name, organization))

    def _give(self, user: User, role: Role) -> None:
        if not roles.has(user.id, role.id):
            users.update(user, {}, roles=users.Change(given=frozenset([role.id])))
            what = "a superuser" if role.name == SUPER else role.name
            self.changes.append(f"user {user.username} becomes {what}")

    def _role(self, location: Location, name: str, organization: Organization) -> Role:
        """Return a role of an organization, or a default role, by its name."""
        if name == SUPER:
            return self._super_role(organization)
        usable = list(
            Role.select()
            .where((Role.organization == organization) | Role.organization.is_null())
            .order_by(Role.organization.is_null(), Role.id)
        )
        found = next((role for role in usable if role.name == name), None)
        if found is None:
            known = ", ".join(dict.fromkeys(role.name for role in usable))
            self._file.fail(location, f"there is no role {name!r}; there are: {known}, {SUPER}.")
        return found

    def _super_role(self, organization: Organization) -> Role:
        """Return the role with every rule, of an organization."""
        role = Role.get_or_none((Role.name == SUPER) & (Role.organization == organization))
        if role is None:
            role = roles.create(SUPER, "Super user", (), organization.id)
            self.changes.append(f"role {SUPER} of {organization.name} is made")
        held = {rule.id for rule in roles.rules_of(role.id)}
        roles.put_in(role, {rule.id for rule in Rule.select()} - held)
        return role

    def _collaboration(self, location: Location, entry: CollaborationEntry) -> None:
        members = [
            self._member((*location, "participants", i, "name"), one)
            for i, one in enumerate(entry.participants)
        ]
        row = Collaboration.get_or_none(Collaboration.name == entry.name)
        if row is None:
            ids = [member.id for member in members]
            row = collaborations.create(entry.name, ids, encrypted=entry.encrypted)
            self.changes.append(f"collaboration {entry.name} is made")
        else:
            name = f"collaboration {entry.name}"
            self._update(name, row, {"encrypted": entry.encrypted}, _update_collaboration)
            row = collaborations.get(row.id)
            present = organizations.members_of([row.id])
            for member in members:
                if member.id not in present:
                    collaborations.add_member(row, member.id)
                    self.changes.append(f"{name} gets {member.name}")
        for i, (one, member) in enumerate(zip(entry.participants, members, strict=True)):
            self._node((*location, "participants", i, "api_key"), one, member, row)
        self._tasks(location, entry.tasks or (), members, row)

    def _member(self, location: Location, entry: ParticipantEntry) -> Organization:
        row = Organization.get_or_none(Organization.name == entry.name)
        if row is None:
            self._file.fail(location, f"there is no organization {entry.name!r}.")
        return row

    def _node(
        self,
        location: Location,
        entry: ParticipantEntry,
        organization: Organization,
        collaboration: Collaboration,
    ) -> None:
        key = None if entry.api_key is None else hash_secret(entry.api_key)
        holder = None if key is None else Node.get_or_none(Node.api_key == key)
        here = (Node.organization == organization) & (Node.collaboration == collaboration)
        row = Node.get_or_none(here)
        if holder is not None and (row is None or holder.id != row.id):
            self._file.fail(location, f"node {holder.name!r} has this API key already.")
        if row is None:
            row, made = nodes.create(organization, collaboration)
            if key is None:
                self.keys[str(row.name)] = made
            else:
                nodes.update(row, {"api_key": key})
            self.changes.append(f"node of {organization.name} in {collaboration.name} is made")
        elif key is not None and row.api_key != key:
            self.kept.append(
                f"node of {organization.name} in {collaboration.name} has another API key, "
                "which stays"
            )

    def _tasks(
        self,
        location: Location,
        images: Sequence[str],
        members: Sequence[Organization],
        collaboration: Collaboration,
    ) -> None:
        """Write the tasks that are missing: as many of each image as the file names."""
        for i, image in enumerate(images):
            ours = (Task.collaboration == collaboration) & (Task.name == TASK_NAME)
            if Task.select().where(ours & (Task.image == image)).count() >= images[: i + 1].count(
                image
            ):
                continue
            try:
                tasks.create(
                    collaboration_id=collaboration.id,
                    inputs=[
                        (member.id, inputs.write({}, collaboration, member)) for member in members
                    ],
                    initiator_id=members[0].id,
                    user_id=None,
                    name=TASK_NAME,
                    image=image,
                )
            except Invalid as error:
                self._file.fail((*location, "tasks", i), error.message)
            self.changes.append(f"task {image} of {collaboration.name} is made")

    def _update(self, name: str, row: Any, given: dict[str, Any], update: Any) -> None:
        """Change what differs from the file."""
        fields = {field: value for field, value in given.items() if getattr(row, field) != value}
        if fields:
            update(row, fields)
            self.changes.append(f"{name} gets another {', '.join(fields).replace('_', ' ')}")


def _update_collaboration(row: Collaboration, fields: dict[str, Any]) -> None:
    collaborations.update(row, fields)
