"""Keys of organizations: remembered at first use, and not replaced unasked."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import ConfigurationError, Invalid
from vantage6.common.known_keys import KeyRefused, KnownKeys, fingerprint, place

ADVICE = "Accept {organization} {fingerprint}."


@pytest.fixture(scope="module")
def public_keys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("a", "b"):
        RSACryptor.create_new_rsa_key(folder / name)
    return [RSACryptor(folder / name).public_key_str for name in ("a", "b")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings" / "known.json"


def test_key_that_changes_is_refused_with_both_fingerprints_and_the_way_on(
    file: Path, public_keys: list[str]
) -> None:
    fresh: list[dict[int, str]] = []
    known = KnownKeys(file, "s", advice=ADVICE, learned=fresh.append)
    first, second = map(RSACryptor.fingerprint, public_keys)
    assert known.check(3, public_keys[0]) == known.check(3, public_keys[0]) == first
    assert fresh == [{3: first}]
    # Another life of the program.
    with pytest.raises(KeyRefused) as refusal:
        KnownKeys(file, "s", advice=ADVICE).check(3, public_keys[1])
    assert f"Known: {first} (first use, 20" in refusal.value.message
    assert f"At the server: {second}." in refusal.value.message
    assert f"Accept 3 {second}." in refusal.value.message
    assert known.check(3, public_keys[0]) == first


def test_accepted_key_replaces_the_other(file: Path, public_keys: list[str]) -> None:
    known = KnownKeys(file)
    known.check(3, public_keys[0])
    second = RSACryptor.fingerprint(public_keys[1])
    KnownKeys(file).accept(3, f" {second.upper()}\n")
    assert known.check(3, public_keys[1]) == second
    with pytest.raises(KeyRefused):
        known.check(3, public_keys[0])
    assert known.all()[3].learned == "person"


@pytest.mark.parametrize("text", ["", "aa", "zz:" * 15 + "zz", "aa:" * 16, "aa:" * 31 + "aa"])
def test_what_is_no_fingerprint_is_not_accepted(file: Path, text: str) -> None:
    with pytest.raises(Invalid, match="16 pairs"):
        KnownKeys(file).accept(3, text)
    assert not file.exists()


def test_configuration_goes_before_first_use(file: Path, public_keys: list[str]) -> None:
    first, second = map(RSACryptor.fingerprint, public_keys)
    KnownKeys(file).check(3, public_keys[0])
    known = KnownKeys(file, written={3: second.upper()}, advice=ADVICE, advice_written="Write it.")
    assert known.check(3, public_keys[1]) == second
    with pytest.raises(KeyRefused, match=r"configuration.*Write it\.$"):
        known.check(3, public_keys[0])
    with pytest.raises(Invalid, match="configuration"):
        known.accept(3, first)


def test_closed_list_learns_nothing(file: Path, public_keys: list[str]) -> None:
    written = {3: RSACryptor.fingerprint(public_keys[0])}
    known = KnownKeys(file, written=written, is_closed=True)
    known.check(3, public_keys[0])
    with pytest.raises(KeyRefused, match="organization_keys") as refusal:
        known.check(4, public_keys[1])
    assert refusal.value.error_code == "organization_key_unknown"
    assert RSACryptor.fingerprint(public_keys[1]) in refusal.value.message
    assert not file.exists()


def test_own_key_is_known_from_the_private_half(file: Path, public_keys: list[str]) -> None:
    known = KnownKeys(file)
    known.own(1, public_keys[0])
    with pytest.raises(KeyRefused, match="own key"):
        known.check(1, public_keys[1])
    assert not file.exists()


def test_servers_do_not_share_their_organizations(file: Path, public_keys: list[str]) -> None:
    KnownKeys(file, "one").check(3, public_keys[0])
    KnownKeys(file, "two").check(3, public_keys[1])
    with pytest.raises(KeyRefused):
        KnownKeys(file, "one").check(3, public_keys[1])


def test_spelling_of_an_address_makes_no_other_server() -> None:
    assert place("https://V6.org/api") == place("https://v6.org:443/api/") == "v6.org:443/api"
    assert place("http://v6.org/api") != place("https://v6.org/api")


def test_only_the_owner_reads_the_file(file: Path, public_keys: list[str]) -> None:
    KnownKeys(file).check(3, public_keys[0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"servers": 5}', '{"servers": {"": {"3": 5}}}']
)
def test_broken_file_does_not_let_keys_be_learned_anew(
    file: Path, public_keys: list[str], content: str
) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"known\.json does not hold"):
        KnownKeys(file).check(3, public_keys[0])
    assert file.read_text() == content


def test_file_that_cannot_be_written_is_an_error_unless_the_user_is_told(
    file: Path, public_keys: list[str]
) -> None:
    file.parent.write_text("no folder")
    with pytest.raises(OSError, match="settings"):
        KnownKeys(file).check(3, public_keys[0])
    told: list[OSError] = []
    known = KnownKeys(file, unwritable=told.append)
    known.check(3, public_keys[0])
    assert len(told) == 1
    with pytest.raises(KeyRefused):
        known.check(3, public_keys[1])


def test_fingerprint_is_compared_in_one_form() -> None:
    assert fingerprint(" AB:" + "0C:" * 14 + "0c ") == "ab:" + "0c:" * 14 + "0c"


def _meet(file: Path, start: int, keys: list[str], won: "multiprocessing.Queue[str]") -> None:
    """Meet organizations of one's own, and one that all processes meet with different keys."""
    known = KnownKeys(file)
    for id_ in range(start, start + 20):
        known.check(id_, keys[id_ % 2])
    mine = keys[start % 200 // 100]
    try:
        known.check(1, mine)
        won.put(RSACryptor.fingerprint(mine))
    except KeyRefused:
        won.put("")


def test_processes_that_learn_at_once_lose_nothing_and_agree(
    file: Path, public_keys: list[str]
) -> None:
    context = multiprocessing.get_context("spawn")
    won: multiprocessing.Queue[str] = context.Queue()
    processes = [
        context.Process(target=_meet, args=(file, 100 * number, public_keys, won))
        for number in range(1, 5)
    ]
    for process in processes:
        process.start()
    found = {won.get(timeout=60) for _ in processes} - {""}
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    known = KnownKeys(file).all()
    assert len(known) == 81
    assert found == {known[1].fingerprint}
    assert json.loads(file.read_text())["version"] == 1
