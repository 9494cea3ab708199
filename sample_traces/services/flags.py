"""Feature flags: the recorder sets them in a file, services read it at each evaluation."""

from __future__ import annotations

import json
from pathlib import Path

from opentelemetry.context import Context

from sample_traces.services.faults import Plan
from sample_traces.services.process import Host

FILE = "flags.json"
DEFAULT = "off"


def write_flags(run_dir: Path, plan: Plan, index: int) -> None:
    """Put the rules in force from the flow `index` on in the file."""
    rules = {
        rule.flag: {"variant": rule.variant, "share": rule.share, "version": str(number + 1)}
        for number, rule in enumerate(plan.flags)
        if rule.first <= index
    }
    draft = run_dir / f"{FILE}.new"
    draft.write_text(json.dumps(rules), encoding="utf-8")
    draft.replace(run_dir / FILE)


def evaluate(host: Host, flag: str, flow_id: str, index: int, context: Context) -> str:
    """The variant of a flag for one flow, told as a `feature_flag.evaluation` event."""
    rules = json.loads((host.run_dir / FILE).read_text(encoding="utf-8"))
    rule = rules.get(flag, {"variant": DEFAULT, "share": 0.0, "version": "0"})
    share = float(rule["share"])
    on = host.plan.draw("flag", flag, index) < share
    variant = str(rule["variant"]) if on else DEFAULT
    reason = "static" if share in (0.0, 1.0) else "split"
    host.telemetry.log(
        "INFO",
        f"flag {flag} is {variant}",
        {
            "feature_flag.key": flag,
            "feature_flag.result.variant": variant,
            "feature_flag.result.reason": reason,
            "feature_flag.provider.name": "flag-file",
            "feature_flag.context.id": flow_id,
            "feature_flag.version": str(rule["version"]),
        },
        context=context,
        event_name="feature_flag.evaluation",
    )
    return variant
