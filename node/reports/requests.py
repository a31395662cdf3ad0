"""Requests that wait for a person, as commands and the console need them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from vantage6.common import clock
from vantage6.common.errors import ConfigurationError
from vantage6.node.requests.grants import Grant, Limit
from vantage6.node.requests.held_request import HeldRequest
from vantage6.node.rules.encryption import known_keys

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


def grant_for(
    request: HeldRequest,
    by: str,
    *,
    organization: bool,
    any_arguments: bool,
    days: float | None,
    times: int | None,
    note: str,
) -> Grant:
    """Return the grant for requests like one.

    Parameters
    ----------
    request
        The request.
    by
        The person that gives it.
    organization
        Whether all users of the organization may ask.
    any_arguments
        Whether the arguments do not matter.
    days, times
        For how long, and how often; None without bound.
    note
        For people at the station.

    Raises
    ------
    ConfigurationError
        If too little is known of the request.
    """
    asked = request.as_question()
    if request.digest is None:
        raise ConfigurationError(
            "The image is not at the station yet, so that no grant can name its digest. Approve "
            "the request without a grant: the node fetches the image, and asks again."
        )
    if request.function is None or asked.through is None:
        raise ConfigurationError(
            "The node cannot read which function is asked for, or who asked first. Approve the "
            "request without a grant."
        )
    if asked.arguments is None and not any_arguments:
        raise ConfigurationError(
            "The node cannot read the arguments, or they are too long for a grant. Allow any "
            "arguments (--any-arguments), or approve the request without a grant."
        )
    if asked.user_id is None and not organization:
        raise ConfigurationError(
            "The server does not say which user asks. Allow all users of the organization "
            "(--organization), or approve the request without a grant."
        )
    limits = {name: Limit((value,)) for name, value in (asked.arguments or {}).items()}
    return Grant(
        digest=request.digest,
        function=request.function,
        is_central=request.is_central,
        organization_id=asked.organization_id,
        user_id=None if organization else asked.user_id,
        database=asked.database,
        through=asked.through,
        arguments=None if any_arguments else limits,
        until=None if days is None else clock.now() + timedelta(days=days),
        times=times,
        note=note,
        by=by,
    )


def check_seen(request: HeldRequest, otherwise: str) -> None:
    """Return if a person can read all that a request asks for.

    Parameters
    ----------
    request
        The request.
    otherwise
        How to approve it all the same.

    Raises
    ------
    ConfigurationError
        If its arguments are cut, or the node cannot read them.
    """
    if not request.is_shown_whole:
        raise ConfigurationError(
            f"The request of result {request.result_id} has arguments that are too long to be "
            f"shown, or that the node cannot read. {otherwise}"
        )


def describe_pin(instance: "Instance", request: HeldRequest) -> str:
    """Return since when the key of the organization is known; empty if it is not."""
    pin = known_keys(instance).all().get(request.requester.organization_id or 0)
    if pin is None or request.requester.fingerprint != pin.fingerprint:
        return ""
    return f"known since {pin.since[:10] or 'the configuration'} ({pin.learned})"
