"""Write the pages that come from the code. ``python -m docs.generate``; a test says when to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from docs import commands, operations
from vantage6.broker.metrics import METRICS
from vantage6.common.config import NodeConfig, ServerConfig

FOLDER = Path(__file__).parent


def configuration() -> str:
    """Return the reference of all configuration keys."""
    lines = [
        "# Configuration",
        "",
        "A file holds one configuration under `application`, or several under `environments`",
        "(`dev`, `test`, `acc`, `prod`). Unknown keys and wrong values are refused by their path.",
        "",
        "A secret need not stand in the file. `!file path` takes a value from another file,",
        "relative to the folder of this one, as in `jwt_secret_key: !file /run/secrets/jwt`.",
        "`!env NAME` takes it from a variable, as in `uri: !env DATABASE`. That works for each",
        "key of servers and nodes. Only the values of the environment that is used are read.",
    ]
    for title, model in (("Server", ServerConfig), ("Node", NodeConfig)):
        lines += ["", f"## {title}", "", "| key | default | meaning |", "|---|---|---|"]
        lines += [f"| `{key}` | {default} | {meaning} |" for key, default, meaning in rows(model)]
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """Return the reference of all numbers that Prometheus finds."""
    lines = [
        "# Metrics",
        "",
        "[Monitoring](monitoring.md) tells how to get them.",
        "",
        "| name | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for one in METRICS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(f"| `{one.name}` | {one.kind} | {labels} | {one.text} |")
    return "\n".join(lines) + "\n"


def rows(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, default and meaning of each key, sections before their keys."""
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        default = field.default
        if field.is_required():
            shown = "required"
        elif (
            default in (None, PydanticUndefined)
            or isinstance(default, BaseModel)
            or default in ((), {}, "")
        ):
            shown = ""
        else:
            shown = f"`{default}`"
        name = field.alias or name
        yield f"{prefix}{name}", shown, (field.description or "").replace("|", "\\|")
        if section is not None:
            repeated = "[]" if _is_list(field.annotation) else ""
            yield from rows(section, f"{prefix}{name}{repeated}.")


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)


def _is_list(annotation: Any) -> bool:
    return str(annotation).startswith("tuple")


#: What makes each page.
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "configuration.md": configuration,
    "http-api.md": operations.page,
    "metrics.md": metrics,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(written(page))


def written(page: Callable[[], str]) -> str:
    """Return a page; its last words say where it comes from."""
    return f"{page()}\n*Made from the code by `python -m docs.generate`.*\n"


if __name__ == "__main__":
    main()
