"""Commands about rules."""

from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included


class Rule(Group):
    """Rules: single permissions, which the server defines."""

    @post_filtering(iterable=False)
    def get(self, id_: int) -> Any:
        """Return one rule.

        Parameters
        ----------
        id_
            Id of the rule.
        """
        return self._get(f"rule/{id_}")

    @post_filtering()
    def list(
        self,
        name: str | None = None,
        operation: str | None = None,
        scope: str | None = None,
        role: int | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the rules.

        Parameters
        ----------
        name
            What the rule is about, such as ``node``.
        operation
            ``VIEW``, ``EDIT``, ``CREATE`` or ``DELETE``.
        scope
            ``OWN``, ``ORGANIZATION``, ``COLLABORATION`` or ``GLOBAL``.
        role
            Id of a role that the rule is in.
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
        return self._get(
            "rule",
            {
                "name": name,
                "operation": operation,
                "scope": scope,
                "role_id": role,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )
