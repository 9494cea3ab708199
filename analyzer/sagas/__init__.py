"""Was every effect undone, once, in order: one file per check.

In: one `Flow` and the `Coverage` of the data. Out: one `SagaVerdict`. A check is a module named
after its id that exports `CHECK`; it is found by its place. Start reading at `verify.py`; `view.py`
holds what the checks ask of a flow.
"""

from analyzer.sagas.coverage import Coverage, ServiceCoverage, coverage_of
from analyzer.sagas.verify import verify

__all__ = ["Coverage", "ServiceCoverage", "coverage_of", "verify"]
