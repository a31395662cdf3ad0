"""Commands about the public keys of organizations that this client knows."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vantage6.client.groups.group import Group
from vantage6.common.known_keys import FILE_NAME, KnownKeys, place

log = logging.getLogger("vantage6.client")

_FILE_VARIABLE = "V6_KNOWN_ORGANIZATIONS"
#: So many new keys are named in a line.
_NAMED = 10


class Keys(Group):
    """The public keys for which this client encrypts, as far as it has met them.

    A key is remembered when it is used for the first time. Another key of the same organization
    is refused from then on, until it is accepted here.
    """

    def list(self) -> list[dict[str, Any]]:
        """List the organizations of this server whose keys are known.

        Returns
        -------
        list
            Id of the organization, fingerprint, since when it is known, and how it was learned.
        """
        return [
            {
                "organization": id_,
                "fingerprint": pin.fingerprint,
                "since": pin.since or None,
                "learned": pin.learned,
            }
            for id_, pin in sorted(self.parent.known_keys.all().items())
        ]

    def accept(self, organization: int, fingerprint: str) -> None:
        """Use another key for an organization from now on.

        Parameters
        ----------
        organization
            Id of the organization.
        fingerprint
            Fingerprint of its new key, as the organization itself tells it: over the telephone,
            not through the server.

        Raises
        ------
        vantage6.common.errors.Invalid
            If it is no fingerprint, or contradicts ``organization_keys``.
        """
        self.parent.known_keys.accept(organization, fingerprint)


#: What to do about a changed key, in Python.
_ADVICE = "If it says so too: client.keys.accept({organization}, '{fingerprint}')."


def known_keys(
    address: str,
    written: Mapping[int, str] | None,
    file: str | Path | None,
    *,
    advice: str = _ADVICE,
) -> KnownKeys:
    """Return the keys that the user of this process knows at a server.

    Parameters
    ----------
    address
        Address of its API.
    written
        Fingerprints that the user gives.
    file
        Where others are remembered; None for the usual place.
    advice
        What to do about a changed key, with ``{organization}`` and ``{fingerprint}``.
    """
    path = Path(file or os.environ.get(_FILE_VARIABLE) or _usual_file()).expanduser()

    def learned(fresh: dict[int, str]) -> None:
        named = ", ".join(f"{id_}: {mark}" for id_, mark in list(fresh.items())[:_NAMED])
        more = ", ..." if len(fresh) > _NAMED else ""
        log.info(
            "Public keys met for the first time, and remembered in %s: %d (%s%s). Compare them "
            "with what the organizations say.",
            path,
            len(fresh),
            named,
            more,
        )

    def unwritable(error: OSError) -> None:
        log.warning(
            "Public keys cannot be remembered in %s (%s), so that a change is not noticed later. "
            "Make the folder writable, or name another file in %s.",
            path,
            error.strerror,
            _FILE_VARIABLE,
        )

    return KnownKeys(
        path,
        place(address),
        written=written,
        advice=advice,
        advice_written="If it says so too, change organization_keys.",
        learned=learned,
        unwritable=unwritable,
    )


def _usual_file() -> str:
    return str(Path(click.get_app_dir("vantage6")) / FILE_NAME)
