"""What people wrote is true: commands, settings, messages and files that the pages name exist."""

import ast
import re
from pathlib import Path

import click
import pytest
import yaml

from docs.commands import PROGRAMS, contexts
from docs.generate import rows
from tests.docs.markdown import DOCS, PAGES, blocks
from vantage6.common.config import NodeConfig, ServerConfig

ROOT = DOCS.parent
WRITTEN = [page for page in PAGES if page.name not in ("commands.md", "seeds.md")]
CONTEXTS = {
    context.command_path: context
    for name, program in PROGRAMS.items()
    for context in contexts(program, name)
}
GROUPS = {" ".join(path.split()[:size]) for path in CONTEXTS for size in (1, 2)}
#: Names on the pages that look like settings.
NO_SETTINGS = {"pg_dump", "pg_restore", "request_id"}
NO_SETTINGS |= {"current_password", "time_limit"}
NO_SETTINGS |= {"known_organizations.json", "organization_key_changed", "accept_invitation"}
KEYS = {key for model in (ServerConfig, NodeConfig) for key, _, _ in rows(model)}


def code(page: Path) -> list[str]:
    """Return everything that a page sets as code: blocks line by line, and pieces of sentences."""
    content = page.read_text()
    fenced = [line for block in blocks(page) for line in block.text.splitlines()]
    prose = re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL)
    return fenced + re.findall(r"`([^`\n]+)`", prose)


def invocations(page: Path) -> list[str]:
    """Return each use of one of the commands on a page."""
    before = r"(?:\$ |ExecStart=/opt/vantage6/bin/)?"
    programs = "|".join(PROGRAMS)
    found = (re.match(rf"{before}((?:{programs}) .+)", piece) for piece in code(page))
    return [said[1].strip() for said in found if said]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_every_command_with_its_options_exists(page: Path) -> None:
    for said in invocations(page):
        words = said.split()
        path = max((name for name in CONTEXTS if f"{said} ".startswith(f"{name} ")), default="")
        if not path:
            # A whole group may be meant, or the command itself: `vserver --help`.
            assert " ".join(words[:2]) in GROUPS or words[1] == "--help", f"{page.name}: {said}"
            continue
        options = {
            option
            for parameter in CONTEXTS[path].command.get_params(CONTEXTS[path])
            if isinstance(parameter, click.Option)
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options, f"{page.name}: {said}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_target_of_make_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for piece in code(page):
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)", piece):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("page", "model"), [("station.md", NodeConfig), ("operator.md", ServerConfig)]
)
def test_every_configuration_is_valid(page: str, model: type[NodeConfig | ServerConfig]) -> None:
    shown = [block.text for block in blocks(DOCS / page) if block.language == "yaml"]
    assert shown
    needed = {"api_key": "key", "server_url": "http://server", "encryption": {"enabled": False}}
    for content in shown:
        values = yaml.safe_load(content)["application"]
        if model is NodeConfig and "api_key" not in values:
            values = needed | values
        model.model_validate(values)


@pytest.mark.parametrize("page", ["station.md", "operator.md", "security.md"])
def test_every_setting_exists(page: str) -> None:
    last = {key.rpartition(".")[2] for key in KEYS}
    for piece in code(DOCS / page):
        if re.fullmatch(r"[a-z]+(?:_[a-z]+)+(?:\.[a-z_]+)?", piece) and piece not in NO_SETTINGS:
            assert piece in KEYS or piece in last, f"{page}: {piece}"


def messages() -> list[str]:
    """Return every text in the code, with what is put into it as an ellipsis."""
    found = []
    for folder in ("api", "client", "common", "models", "node", "server"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts = [
                        str(part.value) if isinstance(part, ast.Constant) else "…"
                        for part in node.values
                    ]
                    found.append("".join(parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return [" ".join(text.split()) for text in found]


@pytest.mark.parametrize("page", ["station.md", "operator.md"])
def test_every_message_is_one_of_ours(page: str) -> None:
    _, _, section = (DOCS / page).read_text().partition("## Troubleshooting by message")
    shown = re.findall(r"^\| `(.+)` \| [^|]+ \|$", section, re.MULTILINE)
    assert len(shown) > 5
    texts = messages()
    for message in shown:
        pattern = ".*".join(re.escape(part.strip()) for part in re.split("…", message))
        assert any(re.search(pattern, text) for text in texts), f"{page}: {message}"
