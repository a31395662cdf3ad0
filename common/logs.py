"""Structured logs, the same for every process, without secrets."""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from vantage6.common.terminal_text import harmless, one_line

#: Variable that makes the lines on the console JSON too, where they go to a file or a collector.
JSON_VARIABLE = "V6_LOG_JSON"

#: Fields and texts that may carry a secret; their value never reaches a log.
_SECRET_NAME = re.compile(r"pass(word)?|secret|token|api_?key|authorization|private_?key", re.I)
_SECRET_TEXT = re.compile(r"(://[^/:@\s]*:)[^@\s]+@|(Bearer\s+)\S+")


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET_NAME.search(name) and value is not None:
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = without_secrets(value)
    return event


def _harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # SECURITY: names come from other people, and a terminal obeys what looks like a command.
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = harmless(value) if name == "exception" else one_line(value)
    return event


def without_secrets(text: str) -> str:
    """Return a text without the passwords of the addresses in it, and without tokens."""
    return _SECRET_TEXT.sub(lambda m: f"{m[1] or m[2]}***{'@' if m[1] else ''}", text)


def _name_of(process: str) -> Any:
    # Not a context variable, which the threads of a process would not share.
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    # The one of this moment, which a command may have replaced.
    return structlog.PrintLogger(sys.stderr)


# Before `set_up`, as in commands: standard output is for their answers, which programs read.
structlog.configure(logger_factory=_to_standard_error)


def set_up(
    process: str,
    *,
    level: str = "INFO",
    console: bool = True,
    file: Path | None = None,
    max_kilobytes: int = 1024,
    backups: int = 5,
    levels: Mapping[str, str] | None = None,
) -> None:
    """Send the logs of this process, and of the libraries in it, to console and file.

    Parameters
    ----------
    process
        Name of the process, written on each line.
    level
        Name of the lowest level that is written.
    console
        Write to standard error; for people, unless the variable ``V6_LOG_JSON`` is set.
    file
        Write JSON lines to this file too, which rotates.
    max_kilobytes
        Size at which the file rotates, in units of 1024 bytes.
    backups
        Number of rotated files that are kept.
    levels
        Lowest levels of individual loggers by their names.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _name_of(process),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Before the redaction, as a message may quote an address; and as plain text, since
        # prettier ones show local variables, and with them secrets.
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handlers: list[logging.Handler] = []
    if console:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_formatter(shared, *_console_renderers()))
        handlers.append(handler)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            file, maxBytes=max_kilobytes * 1024, backupCount=backups, encoding="utf-8"
        )
        handler.setFormatter(_formatter(shared, _json_renderer()))
        handlers.append(handler)
    logging.basicConfig(level=level, handlers=handlers, force=True)
    # SECURITY: peewee logs every statement with its values, inputs and hashes among them.
    for noisy in ("httpx2", "httpcore2", "docker", "urllib3", "amqp", "kombu", "peewee"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name, lowest in (levels or {}).items():
        logging.getLogger(name).setLevel(lowest)


@contextmanager
def silence() -> Iterator[None]:
    """Write nothing while this is entered: for commands that say themselves what they find."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _json_renderer() -> Any:
    return structlog.processors.JSONRenderer()


def _console_renderers() -> list[Any]:
    if os.environ.get(JSON_VARIABLE):
        return [_json_renderer()]
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=0,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_harmless, renderer]


def _formatter(shared: list[Any], *renderers: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


def bound(**fields: Any) -> AbstractContextManager[None]:
    """Write fields on all lines of this thread, as long as this is entered; none of them None."""
    given = {name: value for name, value in fields.items() if value is not None}
    return structlog.contextvars.bound_contextvars(**given)


def request_id() -> str | None:
    """Return the id of the request that this thread answers, if it is at one."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
