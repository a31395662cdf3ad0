"""Standing approvals: what one names is granted, and nothing else is."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.node.factories import make_claim
from vantage6.common import clock
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.node.claims import Requester
from vantage6.node.requests import folder
from vantage6.node.requests.asked import Asked, read_arguments
from vantage6.node.requests.folder import Damaged
from vantage6.node.requests.grants import Grant, Grants, Limit
from vantage6.node.requests.held_request import same_people

DIGESTS = [f"sha256:{letter * 64}" for letter in "abc"]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5, "1", "true"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=3,
)
NAMES = st.sampled_from(["1", "column", "columns", ""])
IDS = st.integers(1, 3)
LIMITS = st.one_of(
    st.builds(Limit),
    st.builds(Limit, values=st.lists(JSON, max_size=2).map(tuple)),
)
GRANTS = st.builds(
    Grant,
    digest=st.sampled_from(DIGESTS),
    function=st.sampled_from(["mean", "means"]),
    is_central=st.booleans(),
    organization_id=IDS,
    database=st.sampled_from(["default", "other"]),
    user_id=st.none() | IDS,
    through=st.lists(IDS, max_size=2).map(tuple),
    arguments=st.none() | st.dictionaries(NAMES, LIMITS, max_size=2),
    until=st.none() | st.sampled_from([NOW, NOW + timedelta(days=1), NOW - timedelta(days=1)]),
)
ASKED = st.builds(
    Asked,
    digests=st.frozensets(st.sampled_from(DIGESTS), max_size=2),
    function=st.builds(
        AskedFunction, st.sampled_from(["mean", "means", "Mean", None]), st.booleans()
    ),
    organization_id=IDS,
    user_id=st.none() | IDS,
    database=st.sampled_from(["default", "other"]),
    arguments=st.none() | st.dictionaries(NAMES, JSON, max_size=2),
    through=st.none() | st.lists(IDS, max_size=2).map(tuple),
)
#: Questions of which everything is known, so that a grant can cover them.
KNOWN = st.builds(
    Asked,
    digests=st.frozensets(st.sampled_from(DIGESTS), min_size=1, max_size=2),
    function=st.builds(AskedFunction, st.sampled_from(["mean", "means"]), st.booleans()),
    organization_id=IDS,
    user_id=IDS,
    database=st.sampled_from(["default", "other"]),
    arguments=st.dictionaries(NAMES, JSON, max_size=2),
    through=st.lists(IDS, max_size=2).map(tuple),
)
#: One part of a question, which is put in the place of that of another one.
PARTS = st.sampled_from([field.name for field in fields(Asked)])


def make_grant(**values: Any) -> Grant:
    """Return a grant for one question."""
    standard: dict[str, Any] = {
        "digest": DIGESTS[0],
        "function": "mean",
        "is_central": True,
        "organization_id": 1,
        "database": "default",
    }
    return Grant(**standard | values)


def make_asked(**values: Any) -> Asked:
    """Return the question that `make_grant` grants."""
    standard: dict[str, Any] = {
        "digests": frozenset(DIGESTS[:1]),
        "function": AskedFunction("mean", is_central=True),
        "organization_id": 1,
        "user_id": 7,
        "database": "default",
        "arguments": {"column": "age"},
    }
    return Asked(**standard | values)


def covering(asked: Asked) -> Grant:
    """Return the narrowest grant that covers a question."""
    assert asked.function.name
    assert asked.arguments is not None
    assert asked.through is not None
    return Grant(
        digest=sorted(asked.digests)[0],
        function=asked.function.name,
        is_central=asked.function.is_central,
        organization_id=asked.organization_id,
        user_id=asked.user_id,
        database=asked.database,
        through=asked.through,
        arguments={name: Limit((value,)) for name, value in asked.arguments.items()},
    )


@given(grant=GRANTS, asked=ASKED)
def test_no_grant_fits_another_digest_function_requester_argument_database_or_time(
    grant: Grant, asked: Asked
):
    if not grant.fits(asked, NOW):
        return
    assert grant.digest in asked.digests
    assert (grant.function, grant.is_central) == (asked.function.name, asked.function.is_central)
    assert grant.organization_id == asked.organization_id
    assert grant.user_id in (None, asked.user_id)
    assert asked.through is not None
    assert set(asked.through) <= set(grant.through)
    assert grant.database == asked.database
    assert grant.until is None or grant.until > NOW
    if grant.arguments is not None:
        assert asked.arguments is not None
        assert sorted(asked.arguments) == sorted(grant.arguments)
        for name, limit in grant.arguments.items():
            value = asked.arguments[name]
            if limit.values is not None:
                assert any(json.dumps(one) == json.dumps(value) for one in limit.values)


@given(asked=KNOWN, stranger=ASKED, part=PARTS)
def test_the_narrowest_grant_fits_its_own_question_and_no_other(
    asked: Asked, stranger: Asked, part: str
):
    other = replace(asked, **{part: getattr(stranger, part)})
    grant = covering(asked)
    assert grant.fits(asked, NOW)
    named = ("function", "organization_id", "user_id", "database")
    is_same = (
        all(getattr(asked, name) == getattr(other, name) for name in named)
        and grant.digest in other.digests
        and json.dumps(asked.arguments, sort_keys=True)
        == json.dumps(other.arguments, sort_keys=True)
        and other.through is not None
        and set(other.through) <= set(grant.through)
    )
    assert grant.fits(other, NOW) is is_same


@given(grant=GRANTS, times=st.none() | st.integers(1, 3))
def test_a_grant_is_the_same_after_it_was_written(grant: Grant, times: int | None):
    grant = replace(grant, times=times)
    again = Grant.from_json(json.loads(json.dumps(grant.to_json())))
    assert again == grant


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": "vantage6/average:latest"},
        {"digest": "sha256:" + "A" * 64},
        {"function": ""},
        {"function": None},
        {"database": ""},
        {"organization_id": None},
        {"organization_id": True},
        {"organization_id": 0},
        {"user_id": "7"},
        {"through": (0,)},
        {"times": 0},
        {"until": datetime(2026, 5, 1)},  # noqa: DTZ001
        {"arguments": {"column": Limit(("x" * 70_000,))}},
    ],
)
def test_a_grant_without_a_definite_part_is_refused(wrong: dict[str, Any], tmp_path: Path):
    with pytest.raises(Invalid):
        Grants(tmp_path).add(make_grant(**wrong))
    assert Grants(tmp_path).list() == []


def test_a_grant_counts_once_for_each_request_and_so_often_as_it_says(tmp_path: Path):
    grants = Grants(tmp_path)
    given_ = grants.add(make_grant(times=2))
    for request in ("5:a", "5:a", "5:b", "5:a"):
        used = grants.use(make_asked(), request)
        assert used is not None
        assert used.id == given_.id
    assert grants.use(make_asked(), "7:a") is None
    assert grants.find(make_asked(), "7:a") is None
    assert grants.use(make_asked(), "5:b") is not None
    assert grants.list()[0].used == ("5:a", "5:b")


def test_where_two_people_grant_none_of_them_asks(tmp_path: Path):
    grants = Grants(tmp_path)
    given_ = grants.add(make_grant(by="Bob"))
    for name in ("Bob", " bob", "BOB"):
        with pytest.raises(Forbidden, match="another person"):
            grants.confirm(given_.id, name)
    grants.confirm(given_.id, "Alice")

    def covers(*users: str) -> bool:
        asked, same = make_asked(), same_people(users)
        found = grants.find(asked, "5:a", people=2, users=same)
        assert found == grants.use(asked, "5:a", people=2, users=same)
        return found is not None

    assert covers()
    assert covers("carol")
    assert not covers("carol", "alice")
    assert not covers("BOB ")


def test_a_limit_of_another_version_is_not_left_out(tmp_path: Path):
    grants, file = Grants(tmp_path), tmp_path / "requests/grants.json"
    grants.add(make_grant(arguments={"a": Limit()}))
    (kept,) = json.loads(file.read_text())
    kept["arguments"]["a"] |= {"minimum": None, "maximum": None}
    file.write_text(json.dumps([kept]))
    assert grants.list()[0].arguments == {"a": Limit()}
    kept["arguments"]["a"]["maximum"] = 3
    file.write_text(json.dumps([kept]))
    with pytest.raises(Damaged):
        grants.find(make_asked(), "5:a")


def test_a_grant_that_is_over_or_revoked_covers_nothing(tmp_path: Path):
    grants = Grants(tmp_path)
    grants.add(make_grant(until=clock.now() - timedelta(seconds=1)))
    assert grants.find(make_asked(), "5:a") is None
    valid = grants.add(make_grant())
    assert grants.find(make_asked(), "5:a") == valid
    grants.revoke(valid.id)
    assert grants.find(make_asked(), "5:a") is None
    with pytest.raises(NotFound, match="vnode grants list"):
        grants.revoke(valid.id)


def test_the_file_of_grants_is_for_its_owner_alone_and_damage_grants_nothing(tmp_path: Path):
    grants = Grants(tmp_path)
    grants.add(make_grant())
    file = tmp_path / "requests/grants.json"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text().replace('"central"', "").replace("mean", ""))
    with pytest.raises(Damaged, match="move it away"):
        grants.find(make_asked(), "5:a")
    file.write_text("[")
    with pytest.raises(Damaged):
        grants.use(make_asked(), "5:a")


def test_the_organizations_between_the_first_task_and_a_sub_task_have_to_be_named():
    above = (Requester(1, "org 1", 7, "alice", 3, "image"), Requester(2, "org 2", None, None, 4))
    claim = make_claim(initiator=3, init_user=None, above=above, is_subtask=True)
    asked = Asked.by(claim, b'json.{"method": "RPC_mean", "kwargs": {}}', frozenset(DIGESTS[:1]))
    assert (asked.organization_id, asked.user_id, asked.through) == (1, 7, (2, 3))
    grant = make_grant(is_central=False, user_id=7)
    assert not grant.fits(asked, NOW)
    assert not replace(grant, through=(3,)).fits(asked, NOW)
    assert replace(grant, through=(2, 3)).fits(asked, NOW)
    unknown = Asked.by(replace(claim, above=None), b"", frozenset(DIGESTS[:1]))
    assert unknown.through is None
    assert not replace(grant, through=(2, 3)).fits(replace(asked, through=None), NOW)


def test_grants_stay_shorter_than_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder, "_MOST_BYTES", 2000)
    grants = Grants(tmp_path)
    given = grants.add(make_grant(times=10_000))
    with pytest.raises(Conflict, match="Revoke"):
        grants.add(make_grant(note="x" * 500, arguments={"column": Limit(("a" * 2000,))}))
    for number in range(100):
        grants.use(make_asked(), f"{number}:{'a' * 64}")
    assert grants.use(make_asked(), f"100:{'a' * 64}") is None
    grants.revoke(given.id)
    assert grants.list() == []


@pytest.mark.parametrize(
    ("input_", "arguments"),
    [
        (
            b'json.{"method": "m", "args": ["age", 3], "kwargs": {"k": 1}}',
            {"1": "age", "2": 3, "k": 1},
        ),
        (b'json.{"method": "m", "master": true}', {}),
        (b'json.{"method": "m", "args": ["age"], "kwargs": {"1": "sex"}}', None),
        (b'json.{"method": "m", "kwargs": {"k": 1, "k": 2}}', None),
        (b'json.{"method": "m", "kwargs": {}, "columns": ["age"]}', None),
        (b'json.{"method": "m", "kwargs": [1]}', None),
        (b'json.{"method": "m", "kwargs": {"k": %s}}' % (b"[" * 90 + b"]" * 90), None),
        (b"json.[1]", None),
        (b'{"method": "m"}', None),
        (b"pickle.abc", None),
        (b"", None),
    ],
)
def test_arguments_that_two_readers_could_read_differently_are_not_read(
    input_: bytes, arguments: dict[str, Any] | None
):
    assert read_arguments(input_) == arguments
