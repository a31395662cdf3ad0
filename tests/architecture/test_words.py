"""One word for one thing: the glossary is what the code says, and words that are gone stay gone."""

import ast
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_layout import FOLDERS, ROOT, sources

#: Words that were given up, and what is said instead.
RETIRED = {
    "bell": "doorbell (the message), recipient, or waiter (the request that is woken)",
    "bells": "doorbells, recipients, or wakeups",
    "books": "audit",
    "door": "proxy, listener, or forwarder",
    "doors": "proxies, listeners, or forwarders",
    "envoy": "namespace helper",
    "gatekeeper": "server of the proxy",
    "insertion": "bulk insert",
    "ledger": "audit of a result",
    "postman": "mailer",
    "ringer": "dispatcher",
}
#: Where retired words are listed.
LISTS = {"tests/architecture/test_words.py"}

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
#: Code within prose, and names within data.
_QUOTED = re.compile(r"(`+)[^`\n]*\1|\"\w+\"")
_ANY_RETIRED = re.compile("|".join(RETIRED), re.IGNORECASE)


def words(text: str) -> set[str]:
    """Return the words of a text; of an identifier, its parts."""
    return {word.lower() for word in _WORD.findall(text)}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Give the identifiers and the prose of a file by line; single words in strings are data."""
    if path.suffix != ".py":
        yield from enumerate(path.read_text().splitlines(), 1)
        return
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in (tokenize.STRING, tokenize.COMMENT):
                if " " in token.string:
                    yield token.start[0], _QUOTED.sub("", token.string)
            elif token.type == tokenize.NAME:
                yield token.start[0], token.string


def written() -> Iterator[Path]:
    """Give the files that people write and read, apart from what is told of the past."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.sh", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    names = listed or [str(path.relative_to(ROOT)) for path in sources(*FOLDERS)]
    for name in names:
        past = name.startswith(("changes/", "docs/decisions/")) or name == "CHANGELOG.md"
        if not past and name not in LISTS and (ROOT / name).exists():
            yield ROOT / name


def glossary() -> list[str]:
    """Return the words that ARCHITECTURE.md explains."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (section,) = re.findall(r"^## Words\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return re.findall(r"^\| \*\*(.+?)\*\*", section, re.M)


def test_no_retired_word_comes_back():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word}; say {RETIRED[word]}"
        for path in written()
        if _ANY_RETIRED.search(path.stem + path.read_text())
        for line, text in [(0, path.stem), *texts(path)]
        for word in sorted(words(text) & RETIRED.keys())
    ]
    assert not found, "\n".join(found)


def test_every_word_of_the_glossary_is_one_of_the_code():
    said = {text for path in sources(*FOLDERS) for _, text in texts(path)}
    code = " ".join(said).lower().replace("_", " ")
    explained = glossary()
    assert len(explained) >= 25
    patterns = {word: rf"\b{word.replace('-', '[- ]?')}s?\b" for word in explained}
    missing = [word for word, pattern in patterns.items() if not re.search(pattern, code)]
    assert not missing


def test_the_glossary_is_in_order_and_names_no_word_twice():
    explained = glossary()
    assert explained == sorted(set(explained), key=str.lower)


#: A participle, alone or with a preposition: the name of a state, where a function needs a verb.
_PARTICIPLE = re.compile(
    r"_*([a-z]+ed|kept|told|given|shown|taken|held|known|said|sent|lost|written|hidden|gone|chosen)"
    r"(_(at|in|by|of|from|for|here|there|to|on|as)(_\w+)?)?"
)
_VERBS = {"embed", "feed", "need", "seed"}
#: Packages whose functions are not all named by this rule yet. None is added.
UNFINISHED = (
    *("algorithms", "client"),
    *("api/resources", "common/cards", "node/rules"),
)
#: Events of Celery, a method of asyncore, and names that wait for the files around them.
PARTICIPLES = {
    *("broker/flower.py received", "broker/flower.py started", "broker/flower.py ended"),
    *("broker/flower.py killed", "node/proxy/server.py received", "common/encryption.py encrypted"),
    *("broker/transports/base.py unsettled", "common/known_keys.py _changed"),
    *("node/proxy/own_results.py _opened", "node/services/members.py connected"),
}


def participles(path: Path) -> Iterator[str]:
    """Give the functions of a module that are named by a participle; properties may be."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and not any(
            ast.unparse(one).endswith("property") for one in node.decorator_list
        ):
            found = _PARTICIPLE.fullmatch(node.name)
            if found and found[1] not in _VERBS:
                yield node.name


def test_functions_are_named_by_verbs():
    found = {
        f"{name} {function}"
        for path in sources(*FOLDERS)
        if not (name := str(path.relative_to(ROOT))).startswith(UNFINISHED)
        for function in participles(path)
    }
    assert found <= PARTICIPLES, sorted(found - PARTICIPLES)
