"""An object has one text: its schema, which is documented and which mypy holds its builder to."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from vantage6.api.http import lists
from vantage6.api.routes import ROUTES
from vantage6.common.documents import WrittenMoment

#: What is no object of the server: tokens, keys, changes, and the state of a part.
MODELS = {
    *("VersionReply", "HealthReply", "ReadyReply", "Envelope"),
    *("RecoveryCodesReply", "TwoFactorReply", "NodeKeyReply", "TokenReply", "LoginReply"),
    *("ContainerTokenReply", "BrokerReply", "VpnReply", "AddressesReply"),
    "ChangesReply",
}


def item(reply: Any) -> Any:
    return get_args(reply)[0] if get_origin(reply) is list else reply


def responders() -> Iterator[Any]:
    for route in ROUTES:
        for verb in ("get", "post", "patch", "delete"):
            name = f"on_{verb}" + (f"_{route.suffix}" if route.suffix else "")
            responder = getattr(route.resource, name, None)
            if responder is not None and responder.endpoint.reply is not None:
                yield responder


def test_each_object_is_built_as_its_schema():
    replies = {item(responder.endpoint.reply) for responder in responders()}
    assert {reply.__name__ for reply in replies if not is_typeddict(reply)} == MODELS


@pytest.mark.parametrize(
    "responder",
    [found for found in responders() if is_typeddict(item(found.endpoint.reply))],
    ids=lambda responder: str(responder.__qualname__),
)
def test_a_responder_returns_what_its_route_documents(responder: Any):
    reply = responder.endpoint.reply
    expected = [reply]
    if reply != item(reply):
        expected += [lists.Listed[item(reply)], lists.LongList[item(reply)]]
    assert inspect.unwrap(responder).__annotations__["return"] in expected


def test_a_moment_is_the_text_that_the_server_writes():
    adapter = TypeAdapter(WrittenMoment)
    assert adapter.json_schema() == {"type": "string", "format": "date-time"}
    assert adapter.validate_python("2026-01-02T03:04:05+00:00") == "2026-01-02T03:04:05+00:00"
    for wrong in ("2026-01-02T03:04:05", "yesterday", ""):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
