"""Commands about roles."""

from collections.abc import Sequence
from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included


class Role(Group):
    """Roles: sets of rules with a name."""

    @post_filtering()
    def list(
        self,
        name: str | None = None,
        description: str | None = None,
        organization: int | None = None,
        rule: int | None = None,
        user: int | None = None,
        include_root: bool | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the roles that you may see.

        Parameters
        ----------
        name, description
            Text to look for; ``%`` stands for anything.
        organization
            Id of the organization that the role belongs to.
        rule
            Id of a rule in the role.
        user
            Id of a user who has the role.
        include_root
            Add the roles that belong to no organization.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The roles.
        """
        return self._get(
            "role",
            {
                "name": name,
                "description": description,
                "organization_id": organization,
                "rule_id": rule,
                "user_id": user,
                "include_root": include_root,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def get(self, id_: int) -> Any:
        """Return one role.

        Parameters
        ----------
        id_
            Id of the role.
        """
        return self._get(f"role/{id_}")

    @post_filtering(iterable=False)
    def create(
        self,
        name: str,
        description: str,
        rules: Sequence[int],
        organization: int | None = None,
    ) -> Any:
        """Create a role.

        Parameters
        ----------
        name
            Name that people recognize.
        description
            What the role is for.
        rules
            Ids of the rules in it. You can only give rules that you have.
        organization
            Id of the organization that the role belongs to; your own when absent.

        Returns
        -------
        dict
            The role.
        """
        body = {
            "name": name,
            "description": description,
            "rules": rules,
            "organization_id": organization or self._own_organization,
        }
        return self._send("post", "role", body)

    @post_filtering(iterable=False)
    def update(
        self,
        role: int,
        name: str | None = None,
        description: str | None = None,
        rules: Sequence[int] | None = None,
    ) -> Any:
        """Change a role.

        Parameters
        ----------
        role
            Id of the role.
        name, description
            New values; an absent one stays as it is.
        rules
            Ids of all rules that are in the role from now on.

        Returns
        -------
        dict
            The role.
        """
        body = {"name": name, "description": description, "rules": rules}
        return self._send("patch", f"role/{role}", body)

    def delete(self, role: int) -> Any:
        """Delete a role.

        Parameters
        ----------
        role
            Id of the role.
        """
        return self._send("delete", f"role/{role}")

    @post_filtering()
    def list_rules(
        self, role: int, page: int = 1, per_page: int = 20, include_metadata: bool = True
    ) -> Any:
        """List the rules of a role.

        Parameters
        ----------
        role
            Id of the role.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The rules.
        """
        query = {"page": page, "per_page": per_page, "include": included(include_metadata)}
        return self._get(f"role/{role}/rule", query)

    def add_rule(self, role: int, rule: int) -> Any:
        """Put a rule into a role.

        Parameters
        ----------
        role
            Id of the role.
        rule
            Id of the rule. You can only give rules that you have.

        Returns
        -------
        list
            The rules that the role has then.
        """
        return self._send("post", f"role/{role}/rule/{rule}")

    def remove_rule(self, role: int, rule: int) -> Any:
        """Take a rule out of a role.

        Parameters
        ----------
        role
            Id of the role.
        rule
            Id of the rule. You can only take rules that you have.

        Returns
        -------
        list
            The rules that are left.
        """
        return self._send("delete", f"role/{role}/rule/{rule}")
