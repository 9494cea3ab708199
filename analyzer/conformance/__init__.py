"""Whether flows keep to what was declared of them, and how far a modernisation has come.

In: the store and what `retrospan.toml` declares under `[conformance]`. Out: one `Answer` per report
of `reports/`: a verdict, and the table it rests on. Only a declared rule can be violated; what is
not declared is shown and judged `not_applicable`. Start reading at `report.conformance`.
"""

from analyzer.conformance.report import Answer, Report, conformance, reports
from analyzer.conformance.settings import ConformanceSettings, ConventionRule

__all__ = [
    "Answer",
    "ConformanceSettings",
    "ConventionRule",
    "Report",
    "conformance",
    "reports",
]
