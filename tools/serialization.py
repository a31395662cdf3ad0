"""Writing payloads, without the name of the format in front, under the names of vantage6 3.11."""

from vantage6.client.serialization import serialize, serializer
from vantage6.client.serialization import serialize_json as serialize_to_json
from vantage6.client.serialization import serialize_pickle as serialize_to_pickle

__all__ = ["serialize", "serialize_to_json", "serialize_to_pickle", "serializer"]
