from __future__ import annotations

import re
from pathlib import Path

from gateway.monitor.metrics import Metrics

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules.yml"


def test_rules_read_metrics_that_exist() -> None:
    """No alert waits for a metric that the gateway does not show."""
    shown = {name for family in Metrics().registry.collect() for name in (family.name, f"{family.name}_total")}
    text = "\n".join(line for line in RULES.read_text().splitlines() if not line.lstrip().startswith("#"))
    read = {name.removesuffix("_bucket") for name in re.findall(r"\blienthong_[a-z_]+", text)}
    assert read
    assert read - shown == set()
