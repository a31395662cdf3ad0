"""Messages survive the journey, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.broker import messages, queues
from vantage6.broker.messages import DecodeError, ResultKilled, ResultReady

identifiers = st.integers(1, messages.MAX_ID)
ours = st.builds(ResultReady, identifiers, identifiers) | st.builds(
    ResultKilled, identifiers, identifiers
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars | st.binary(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
#: Bodies that are nearly right find more than arbitrary ones.
nearly = st.fixed_dictionaries(
    {},
    optional={
        "v": scalars | st.just(1),
        "kind": scalars | st.sampled_from(["result_ready", "result_killed"]) | st.lists(scalars),
        "result_id": scalars | identifiers,
        "task_id": scalars | identifiers,
    },
)


@given(ours)
def test_a_message_survives_json(message):
    body = json.loads(json.dumps(messages.encode(message)))

    assert messages.decode(body) == message


@given(anything | nearly)
def test_anything_else_is_a_decode_error_or_a_message(body):
    try:
        decoded = messages.decode(body)
    except DecodeError:
        return
    assert body == {**body, **messages.encode(decoded)}


def test_the_body_on_the_wire_stays_what_it_is():
    assert messages.encode(ResultReady(result_id=31, task_id=3)) == {
        "v": 1,
        "kind": "result_ready",
        "result_id": 31,
        "task_id": 3,
    }


def test_the_longest_message_is_far_below_the_bound():
    longest = messages.encode(ResultKilled(messages.MAX_ID, messages.MAX_ID))

    assert len(json.dumps(longest)) < messages.MAX_BYTES / 4


def test_fields_of_later_versions_are_ignored():
    body = messages.encode(ResultReady(31, 3)) | {"hint": "new"}

    assert messages.decode(body) == ResultReady(31, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": 2}, "version"),
        ({"v": True}, "version"),
        ({"kind": "result_lost"}, "kind"),
        ({"kind": None}, "kind"),
        ({"result_id": 0}, "result_id"),
        ({"result_id": "31"}, "result_id"),
        ({"result_id": True}, "result_id"),
        ({"task_id": 2**63}, "task_id"),
    ],
)
def test_a_wrong_field_is_named(change, reason):
    body = messages.encode(ResultReady(31, 3)) | change

    with pytest.raises(DecodeError, match=reason):
        messages.decode(body)


def test_what_no_node_could_read_is_not_sent():
    with pytest.raises(DecodeError):
        messages.encode(ResultReady(result_id=-1, task_id=3))


def test_names_of_nodes_do_not_contain_each_other():
    assert queues.inbox(1) == "v6:node:1:inbox"
    assert queues.inflight(1) == "v6:node:1:inbox:inflight"
    assert queues.alive(1) == "v6:node:1:alive"
    assert queues.user(1) == "node-1"
    assert not queues.inbox(10).startswith("v6:node:1:")
