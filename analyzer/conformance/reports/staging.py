"""Whether staging has seen what happens in production: variants of flows, weighted by how often."""

from collections.abc import Mapping

from analyzer.conformance.report import Answer, Report, Rows, share, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = ("flow", "variant", "in_production", "in_staging", "covered", "example_flow")


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = answers["staging"]
    asked = [row for row in rows if row["in_production"]]
    flows = sum(row["in_production"] for row in asked)
    covered = sum(row["in_production"] for row in asked if row["in_staging"])
    staged = sum(row["in_staging"] for row in rows)
    elsewhere = sum(row["elsewhere"] for row in rows)
    least = settings.staging_coverage_min
    part = share(covered, flows)
    if not flows or not staged:
        missing = "staging" if flows else "production"
        said = f"no flow ran in {missing} ({elsewhere} flows elsewhere or of unknown environment)"
    else:
        seen = sum(bool(row["in_staging"]) for row in asked)
        said = (
            f"staging has seen {seen} of {len(asked)} variants of production, which make "
            f"{covered} of {flows} flows"
        )
    declared = least is not None
    return Answer(
        verdict=verdict_of(
            declared=declared and bool(staged),
            checked=flows,
            violations=int(part is not None and least is not None and part < least),
            unknown=0,
        ),
        message=said,
        declared=declared,
        checked=flows,
        unknown=elsewhere,
        columns=COLUMNS,
        rows=[
            {
                "flow": row["name"],
                "variant": row["variant"],
                "in_production": row["in_production"],
                "in_staging": row["in_staging"],
                "covered": bool(row["in_staging"]),
                "example_flow": row["flow_id"],
            }
            for row in sorted(
                asked if staged else [],
                key=lambda row: (bool(row["in_staging"]), -row["in_production"], row["variant"]),
            )
        ],
    )


REPORT = Report(
    name="staging",
    title="Variants of production seen in staging",
    asks=lambda settings: {
        "staging": (
            "staging",
            {"production": sorted(settings.production), "staging": sorted(settings.staging)},
        )
    },
    judge=_judge,
)
