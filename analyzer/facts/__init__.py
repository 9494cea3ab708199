"""The facts of a flow that predicates may name.

In: the derived tables. Out: one mapping of names to values per flow. Start reading at `FACTS`, the
list of every name with its type and meaning; `flow_facts.sql` gives the columns they come from.
"""

from analyzer.facts.flow_facts import (
    FACTS,
    Fact,
    FlowFacts,
    Values,
    ask_flow_facts,
    read_flow_facts,
)
from analyzer.facts.flow_table import FlowTable, asked_table, table_of

__all__ = [
    "FACTS",
    "Fact",
    "FlowFacts",
    "FlowTable",
    "Values",
    "ask_flow_facts",
    "asked_table",
    "read_flow_facts",
    "table_of",
]
