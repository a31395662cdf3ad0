"""Alerts, board and page name numbers that exist, and Prometheus takes them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.services import needs
from vantage6.broker.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "compose/monitoring"
SERIES = {name for metric in METRICS for name in metric.series}
LABELS = {name: set(metric.labels) for metric in METRICS for name in metric.series}

ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
BOARD = json.loads((FOLDER / "grafana/boards/vantage6.json").read_text())
PAGE = (ROOT / "docs/monitoring.md").read_text()


def queries() -> list[str]:
    on_board = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*on_board, *(rule["expr"] for rule in ALERTS)]


@pytest.mark.parametrize("query", queries())
def test_a_query_names_what_exists(query: str):
    named = re.findall(r"\bvantage6_\w+", query)
    assert named
    assert set(named) <= SERIES
    known = set().union(*(LABELS[name] for name in named)) | {"le"}
    grouped = {word for group in re.findall(r"by \(([^)]*)\)", query) for word in group.split(", ")}
    filtered = set(re.findall(r"[{,](\w+)[!=]", query))
    assert grouped | filtered <= known


def test_every_number_is_on_the_board():
    shown = set(re.findall(r"\bvantage6_\w+", " ".join(queries())))
    assert {metric.name for metric in METRICS if not shown & set(metric.series)} == set()


def test_every_alert_is_explained():
    explained = re.findall(r"^\| `([A-Z]\w+)` \|", PAGE, re.M)
    assert explained == [rule["alert"] for rule in ALERTS]
    for rule in ALERTS:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_every_file_of_the_page_exists():
    for name in ("prometheus.yaml", "alerts.yaml", "grafana/boards", "grafana/provisioning"):
        assert f"`{name}" in PAGE
        assert (FOLDER / name).exists()


def test_panels_have_ids_and_places_of_their_own():
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [
        (x, y)
        for panel in BOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_prometheus_takes_configuration_and_rules(tmp_path: Path):
    for name in ("prometheus.yaml", "alerts.yaml"):
        (tmp_path / name).write_text((FOLDER / name).read_text())
    (tmp_path / "metrics.key").write_text("x")
    checked = subprocess.run(
        [needs("promtool"), "check", "config", "prometheus.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(ALERTS)} rules found" in checked.stdout
