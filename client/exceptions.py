"""What can go wrong in the client, under the names of vantage6 3.11."""

from vantage6.client.algorithm_client import SubTaskFailed
from vantage6.client.session import NoReply
from vantage6.client.waiting import StillRunning
from vantage6.common.exceptions import AuthenticationException
from vantage6.common.serialization import PickleRefused
from vantage6.common.serialization import SerializationError as DeserializationException

__all__ = [
    "AuthenticationException",
    "DeserializationException",
    "NoReply",
    "PickleRefused",
    "StillRunning",
    "SubTaskFailed",
]
