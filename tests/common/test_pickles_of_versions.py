"""Pickles of old and new versions of numpy and pandas come back as what they were."""

import subprocess
import sys
from ast import literal_eval
from typing import Any

import pytest

from tests.campaign import EFFORT, SEED, effort
from tests.common.pickled import reference
from tests.common.pickled.values import values
from vantage6.common import pickles

ROOT = reference.__file__.rsplit("/", 4)[0]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """Return what the archives hold, made with the versions that are here."""
    return values()


@pytest.mark.parametrize("path", reference.ARCHIVES, ids=lambda path: path.name[:-7])
def test_pickles_of_this_version_come_back(path: Any, known: dict[str, Any]) -> None:
    names = set()
    for entry, data in reference.archived(path):
        name = entry.rpartition("/")[0]
        names.add(name)
        found = pickles.read(data)
        # Texts and times are of other kinds where they come of an older version.
        is_new = path is reference.ARCHIVES[-1]
        assert not reference.difference(found, known[name], exact=is_new), entry
        try:
            expected = reference.load(data)
        except ModuleNotFoundError:  # of a library for time zones that is not needed here
            continue
        assert not reference.difference(found, expected), entry
    assert names == set(known)


@pytest.mark.parametrize(
    ("seed", "count"),
    [
        (1, 300),
        pytest.param(
            SEED + 1, effort(1500), marks=[pytest.mark.slow, pytest.mark.campaign], id="more"
        ),
    ],
)
def test_a_damaged_pickle_is_refused_or_right_and_ends_no_process(seed: int, count: int) -> None:
    fuzzed = subprocess.run(
        [sys.executable, "-m", "tests.common.pickled.mutation", str(seed), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280 * max(1, EFFORT),
        check=False,
    )
    assert fuzzed.returncode == 0, fuzzed.stderr
    outcomes = literal_eval(fuzzed.stdout.splitlines()[-1])
    assert "wrong" not in outcomes, fuzzed.stdout
    # Damage goes deep enough to be noticed, and does not always.
    assert min(outcomes["refused"], outcomes["right"]) > count // 20
