"""The structures that flows have, as rows of a list."""

from pathlib import Path

import analyzer.derive
from analyzer.derive import outline
from retrospan.selection import Chosen, Row
from store.lease import Session
from store.query import ask
from store.read import FlowSelection, read_flows

VARIANTS = Path(analyzer.derive.__file__).with_name("variants.sql")


def variant_rows(session: Session, chosen: Chosen) -> list[Row]:
    """Variants by name of their flows, the most frequent first, each with one flow's outline."""
    flow_ids = chosen.flow_ids(session)
    counted = ask(session, VARIANTS, {"everything": flow_ids is None, "flow_ids": flow_ids or []})
    rows = chosen.rows(
        [
            {
                **{name: value for name, value in row.items() if name != "outcome_flows"},
                "outcomes": dict(zip(row["outcomes"], row["outcome_flows"], strict=True)),
                "share": round(row["flows"] / row["flows_of_name"], 4),
                "outline": "",
            }
            for row in counted.iter_rows(named=True)
        ]
    )
    examples = tuple(str(row["example"]) for row in rows)
    flows = read_flows(session, FlowSelection(flow_ids=examples))
    outlines = {flow.flow_id: outline(flow) for flow in flows}
    return [{**row, "outline": outlines[str(row["example"])]} for row in rows]
