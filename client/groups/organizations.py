"""Commands about organizations."""

from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included


class Organization(Group):
    """Organizations: the parties that own data, users and nodes."""

    @post_filtering()
    def list(
        self,
        name: str | None = None,
        country: str | None = None,
        collaboration: int | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include_metadata: bool = True,
    ) -> Any:
        """List the organizations that you may see.

        Parameters
        ----------
        name
            Text to look for; ``%`` stands for anything.
        country
            Country of the organization.
        collaboration
            Id of a collaboration that it takes part in.
        page
            Page number; all pages when absent.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The organizations.
        """
        return self._get(
            "organization",
            {
                "name": name,
                "country": country,
                "collaboration_id": collaboration,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def get(self, id_: int | None = None) -> Any:
        """Return one organization; your own when no id is given.

        Parameters
        ----------
        id_
            Id of the organization.
        """
        return self._get(f"organization/{id_ or self._own_organization}")

    @post_filtering(iterable=False)
    def update(
        self,
        id_: int | None = None,
        name: str | None = None,
        address1: str | None = None,
        address2: str | None = None,
        zipcode: str | None = None,
        country: str | None = None,
        domain: str | None = None,
        public_key: str | None = None,
    ) -> Any:
        """Change an organization; your own when no id is given.

        Parameters
        ----------
        id_
            Id of the organization.
        name, address1, address2, zipcode, country, domain
            New values; an absent one stays as it is.
        public_key
            New public key, base64 of the PEM. What was encrypted for the old key becomes
            unreadable.

        Returns
        -------
        dict
            The organization.
        """
        body = {
            "name": name,
            "address1": address1,
            "address2": address2,
            "zipcode": zipcode,
            "country": country,
            "domain": domain,
            "public_key": public_key,
        }
        return self._send("patch", f"organization/{id_ or self._own_organization}", body)

    def create(
        self,
        name: str,
        address1: str,
        address2: str,
        zipcode: str,
        country: str,
        domain: str,
        public_key: str | None = None,
    ) -> Any:
        """Create an organization.

        Parameters
        ----------
        name
            Name that people recognize.
        address1, address2, zipcode, country
            Postal address.
        domain
            Internet domain, such as ``the_shire.org``.
        public_key
            Base64 of the public key in PEM; None without encryption.

        Returns
        -------
        dict
            The organization.
        """
        body = {
            "name": name,
            "address1": address1,
            "address2": address2,
            "zipcode": zipcode,
            "country": country,
            "domain": domain,
        }
        if public_key:
            body["public_key"] = public_key
        return self._send("post", "organization", body)
