"""What the record of a station tells of each result: the request, its end, and what left."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_COLUMNS = ("task_id", "organization", "user", "image", "method", "database")
#: How a result ended, where the record says it without a status.
_ENDS = {"refused": "refused", "stopped": "stopped here", "dropped": "not wanted"}
#: Facts of the line `released` that describe what left.
_OUTPUT = ("output_bytes", "output_hash", "log_bytes", "log_hash", "fingerprint")


def runs(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what the record tells of each result, in no order.

    `left_bytes` counts the output, the log, what was printed meanwhile, and the inputs of
    sub-tasks. It is the most that may have left: an upload counts that the server refused.
    """
    found: dict[int, dict[str, Any]] = {}
    for event in events:
        result_id, name = event.get("result_id"), event["event"]
        if not isinstance(result_id, int):
            continue
        if name == "asked" and (result_id not in found or found[result_id]["ended"]):
            # A request that is repeated after a restart is the same line until it has ended.
            if result_id in found:
                yield _count_bytes(found.pop(result_id))
            found[result_id] = {
                "result_id": result_id,
                "at": str(event.get("at") or ""),
                "ended": "",
                "message": None,
                "verdict": None,
                "decided": None,
                "left_at": "",
                "released": 0,
                "live_bytes": 0,
                "subtask_bytes": 0,
            }
            found[result_id] |= dict.fromkeys(_OUTPUT)
            found[result_id] |= {key: event.get(key) for key in _COLUMNS}
        row = found.get(result_id)
        if row is not None:
            _add(row, name, event)
    yield from map(_count_bytes, found.values())


def _add(row: dict[str, Any], name: str, event: Mapping[str, Any]) -> None:
    if name == "released":
        if row["ended"] in ("", row.get("status")):
            row["ended"] = row["status"] = event.get("status") or ""
        # SECURITY: what an earlier line announces may have left, whatever came after it.
        left = (event.get("output_bytes") or 0) + (event.get("log_bytes") or 0)
        if not row["left_at"] or left > row["released"]:
            row |= {key: event.get(key) for key in _OUTPUT}
            row |= {"released": left, "left_at": str(event.get("at") or "")}
    elif name == "stopped" and not event.get("left_before"):
        row["ended"] = _ENDS[name]
    elif name in _ENDS and not row["ended"]:
        code = event.get("code")
        row["ended"] = f"{_ENDS[name]}: {code}" if code else _ENDS[name]
        row["message"] = event.get("message")
    elif name == "judged":
        row["verdict"] = event.get("verdict")
    elif name == "release_decided":
        words = (event.get("decision"), event.get("by"))
        row["decided"] = " by ".join(str(word) for word in words if word)
    elif name == "subtask":
        row["subtask_bytes"] += event.get("all_input_bytes") or 0
    elif name == "live_log":
        row["live_bytes"] = event.get("sent_bytes") or 0


def _count_bytes(row: dict[str, Any]) -> dict[str, Any]:
    left = row["subtask_bytes"] + row["released"] + row["live_bytes"]
    return row | {"left_bytes": left}
