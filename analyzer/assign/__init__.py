"""Which spans, logs and decisions make which flow.

In: records of many traces, in any order. Out: one `FlowRows` per flow. This is the one stage that
reads across flows. Start reading at `flows.py`; `ties.py` finds what binds traces together.
"""

from analyzer.assign.flows import FlowRows, assign
from analyzer.assign.ties import AssignSettings

__all__ = ["AssignSettings", "FlowRows", "assign"]
