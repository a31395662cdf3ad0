"""Commands about users."""

from collections.abc import Sequence
from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included


class User(Group):
    """Users: people who log in."""

    @post_filtering()
    def list(
        self,
        username: str | None = None,
        organization: int | None = None,
        firstname: str | None = None,
        lastname: str | None = None,
        email: str | None = None,
        role: int | None = None,
        rule: int | None = None,
        last_seen_from: str | None = None,
        last_seen_till: str | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the users that you may see.

        Parameters
        ----------
        username, firstname, lastname, email
            Text to look for; ``%`` stands for anything.
        organization
            Id of the organization that the user belongs to.
        role
            Id of a role that the user has.
        rule
            Id of a rule that the user has.
        last_seen_from, last_seen_till
            Days, as ``yyyy-mm-dd``.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The users.
        """
        return self._get(
            "user",
            {
                "username": username,
                "organization_id": organization,
                "firstname": firstname,
                "lastname": lastname,
                "email": email,
                "role_id": role,
                "rule_id": rule,
                "last_seen_from": last_seen_from,
                "last_seen_till": last_seen_till,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def get(self, id_: int | None = None) -> Any:
        """Return one user; yourself when no id is given.

        Parameters
        ----------
        id_
            Id of the user.
        """
        return self._get(f"user/{id_ or self.parent.identity.id_}")

    @post_filtering(iterable=False)
    def update(
        self,
        id_: int | None = None,
        firstname: str | None = None,
        lastname: str | None = None,
        organization: int | None = None,
        rules: Sequence[int] | None = None,
        roles: Sequence[int] | None = None,
        email: str | None = None,
    ) -> Any:
        """Change a user; yourself when no id is given.

        Parameters
        ----------
        id_
            Id of the user.
        firstname, lastname, email
            New values; an absent one stays as it is.
        organization
            Id of the new organization.
        rules
            Ids of all extra rules that the user has from now on.
        roles
            Ids of all roles that the user has from now on.

        Returns
        -------
        dict
            The user.
        """
        body = {
            "firstname": firstname,
            "lastname": lastname,
            "organization_id": organization,
            "rules": rules,
            "roles": roles,
            "email": email,
        }
        given = {key: value for key, value in body.items() if value is not None}
        return self._send("patch", f"user/{id_ or self.parent.identity.id_}", given)

    @post_filtering(iterable=False)
    def create(
        self,
        username: str,
        firstname: str,
        lastname: str,
        password: str,
        email: str,
        organization: int | None = None,
        roles: Sequence[int] = (),
        rules: Sequence[int] = (),
    ) -> Any:
        """Create a new user.

        Parameters
        ----------
        username
            Name to log in with; unique.
        firstname, lastname, email
            Who it is.
        password
            First password; the rules are those of `client.util.change_my_password`.
        organization
            Id of the organization; your own when absent.
        roles
            Ids of the roles that the user gets.
        rules
            Ids of extra rules that the user gets.

        Returns
        -------
        dict
            The user.
        """
        body = {
            "username": username,
            "firstname": firstname,
            "lastname": lastname,
            "password": password,
            "email": email,
            "organization_id": organization,
            "roles": [*roles],
            "rules": [*rules],
        }
        return self._send("post", "user", body)

    def delete(self, id_: int) -> Any:
        """Delete a user.

        Parameters
        ----------
        id_
            Id of the user.
        """
        return self._send("delete", f"user/{id_}")

    def reset_two_factor(self, id_: int) -> Any:
        """Remove the second factor of another user, who lost it.

        Make sure who asks: from then on the password alone opens the account, until another
        authenticator app is set up.

        Parameters
        ----------
        id_
            Id of the user.
        """
        return self._send("delete", f"user/{id_}/2fa")
