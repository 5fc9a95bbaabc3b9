"""The rules and the dashboard for Prometheus: they are valid, each rule fires when it must, and all
that they name `/metrics` really says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.conftest import Service

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = (PROMETHEUS / "alerts.yml").read_text()
CASES = (PROMETHEUS / "alerts.test.yml").read_text()
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/freiplatz.json").read_text())
SELECTOR = re.compile(r"\b(freiplatz_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def expressions() -> Iterator[str]:
    yield RULES
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool on this machine (Debian: in the package prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid() -> None:
    promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))


def test_each_rule_fires_when_it_must_and_not_before() -> None:
    promtool("test", "rules", str(PROMETHEUS / "alerts.test.yml"))


def test_no_rule_is_without_such_a_case() -> None:
    rules = re.findall(r"- alert: (\w+)", RULES)
    assert len(rules) > 15
    assert re.findall(r"        alertname: (\w+)\n        exp_alerts", CASES) == rules
    assert sorted(re.findall(r"eval_time: 8h, alertname: (\w+)", CASES)) == sorted(rules)


def test_the_dashboard_asks_in_valid_promql(tmp_path: Path) -> None:
    """As a file of rules, which promtool can check."""
    asked = [text.replace("$__rate_interval", "5m") for text in expressions()][1:]
    assert len(asked) > 25
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML
    promtool("check", "rules", str(file))


def test_each_rule_leads_to_the_runbook() -> None:
    """Links to headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
    wanted = set(re.findall(r"runbook: docs/runbook\.md#(\S+)", RULES))
    assert wanted <= anchors
    assert RULES.count("runbook: ") == RULES.count("- alert: ")


async def test_all_that_is_asked_for_is_said(service: Service) -> None:
    samples = await _said(service)
    names = {sample.name for sample in samples}
    asked = [found for text in expressions() for found in SELECTOR.findall(text)]
    assert len(asked) > 40
    assert {name for name, _ in asked} - names == set()
    for name, selector in asked:
        values = [sample.labels for sample in samples if sample.name == name]
        for label, how, wanted in MATCHER.findall(selector):
            found = {labels[label] for labels in values}
            known = set(wanted.split("|")) if how == "=~" else {wanted}
            assert known <= found, (name, label)


async def _said(service: Service) -> list[Sample]:
    """What a service says that has one of everything."""
    pool = service.state.deployment.pool
    for home in ("fresh", "stale", "unknown"):
        await service.put_home(home)
    await service.report("fresh", {"count": 1})
    await service.report("stale", {"count": 1}, observed_at="2026-01-01T00:00:00Z")
    await pool.execute(
        "INSERT INTO neighbour (slug, name, url) VALUES ('herford', 'Herford', 'https://h.example')"
    )
    for number, speaks in enumerate(("listings", "freiplatz")):
        await pool.execute(
            "INSERT INTO webhook (id, provider_id, address, speaks, next_attempt_at, search)"
            " SELECT $1, id, 'https://x.example', $2, now(), '' FROM provider",
            f"wh_{number:016x}",
            speaks,
        )
        await pool.execute(
            "INSERT INTO webhook_delivery (webhook_id, message_id, event, attempt, sent_at,"
            " duration_ms, outcome) VALUES ($1, 'm', 'ping', 1, now(), 1, 'delivered')",
            f"wh_{number:016x}",
        )
    async with service.client.get(service.url + "/metrics") as answer:
        families = list(text_string_to_metric_families(await answer.text()))
    return [sample for family in families for sample in family.samples]
