"""What of the data cannot be believed, what that makes unknowable, what would settle it.

In: the store. Out: `QualityReport`: gaps per service with counts and an example, a coverage score
per service. Each `.sql` here reads one relation once and counts the gaps of `gaps.CATALOGUE` in it.
Start reading at `report.quality_report`.
"""

from analyzer.quality.report import QualityReport, quality_report

__all__ = ["QualityReport", "quality_report"]
