"""One flow's rows become steps, attempts, roles and an outcome.

In: `FlowRows` of one flow and the settings. Out: one `Flow`. Pure: no I/O, no clock, no other flow.
Start reading at `build.py`.
"""

from analyzer.derive.build import derive
from analyzer.derive.decisions import decisions_in
from analyzer.derive.declared import DeclaredFlow, DeclaredStep, declared_flows
from analyzer.derive.settings import DeriveSettings
from analyzer.derive.shape import outline, shape

__all__ = [
    "DeclaredFlow",
    "DeclaredStep",
    "DeriveSettings",
    "decisions_in",
    "declared_flows",
    "derive",
    "outline",
    "shape",
]
