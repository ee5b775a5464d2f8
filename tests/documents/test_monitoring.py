"""Alert rules and dashboard: good, and about metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
RULES = SOURCE / "packaging" / "prometheus" / "vrrpd.rules.yml"
DASHBOARD = SOURCE / "packaging" / "grafana" / "vrrpd.json"


def metrics() -> set[str]:
    """What the daemons write. A histogram is read by its parts."""
    names = metrics_of("vrrpd/runtime/metrics.cpp") | metrics_of("sync/status.cpp")
    assert {"vrrpd_loop_lag_seconds", "gluster_sync_lag_seconds"} <= names
    return names | {f"vrrpd_loop_lag_seconds_{part}" for part in ("bucket", "sum", "count")}


def metrics_of(file: str) -> set[str]:
    return set(re.findall(r'"((?:vrrpd|gluster)_[a-z_]+)"', (SOURCE / file).read_text()))


def used_in(text: str) -> set[str]:
    return set(re.findall(r"\b(?:vrrpd|gluster)_[a-z_]+", text))


def promtool(*words: object) -> None:
    result = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_accepts_the_rules():
    promtool("check", "rules", RULES)


def test_the_rules_fire_when_they_should():
    promtool("test", "rules", RULES.with_name("vrrpd.test.yml"))


def test_each_metric_of_a_rule_exists():
    expressions = re.findall(r"^ +expr: (.*)$", RULES.read_text(), re.M)
    assert len(expressions) >= 10
    assert used_in("\n".join(expressions)) <= metrics()
    assert metrics_of("sync/status.cpp") <= used_in("\n".join(expressions))


def test_each_metric_of_the_dashboard_exists_and_each_metric_is_on_it():
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = used_in("\n".join(expressions))
    assert used <= metrics()
    assert metrics() - used <= {f"vrrpd_loop_lag_seconds{part}" for part in ("", "_sum", "_count")}


def test_the_panels_do_not_overlap():
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


@pytest.mark.parametrize(
    ("page", "file"), [("vrrpd.8", "vrrpd/runtime/metrics.cpp"), ("gluster-sync.8", "sync/status.cpp")]
)
def test_the_manual_has_each_metric(page: str, file: str):
    manual = (SOURCE / "packaging/man" / page).read_text()
    assert set(re.findall(r"^\.It Ic ((?:vrrpd|gluster)_[a-z_]+)", manual, re.M)) == metrics_of(file)
