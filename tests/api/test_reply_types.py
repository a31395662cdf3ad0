"""An object has one text: its schema, which is documented and which mypy holds its builder to."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from vantage6.api.routes import ROUTES
from vantage6.common.documents import WrittenMoment

#: What is no object of the server: a few words for people, tokens, or the state of a part.
MODELS = {
    *("Message", "VersionReply", "HealthReply", "ReadyReply", "Envelope"),
    *("RecoveryCodesReply", "TwoFactorReply", "NodeKeyReply", "TokenReply", "LoginReply"),
    *("ContainerTokenReply", "BrokerReply", "VpnReply", "AddressesReply"),
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
    [
        responder
        for responder in responders()
        # A page has its envelope.
        if is_typeddict(responder.endpoint.reply)
    ],
    ids=lambda responder: str(responder.__qualname__),
)
def test_a_responder_returns_what_its_route_documents(responder: Any):
    assert inspect.unwrap(responder).__annotations__["return"] is responder.endpoint.reply


def test_a_moment_is_the_text_that_the_server_writes():
    adapter = TypeAdapter(WrittenMoment)
    assert adapter.json_schema() == {"type": "string", "format": "date-time"}
    assert adapter.validate_python("2026-01-02T03:04:05+00:00") == "2026-01-02T03:04:05+00:00"
    for wrong in ("2026-01-02T03:04:05", "yesterday", ""):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
