"""What a change does to all calls of an operation at once, as a document and as table rows."""

from dataclasses import asdict
from pathlib import Path

from retrospan.documents import Document
from retrospan.edge import Edge
from retrospan.listing import Row
from store.errors import NotFoundError, UsageError
from store.model import JsonValue

MEASURES = (
    "calls", "attempts", "timeouts", "failed_calls", "refused", "latency_median_ns",
    "latency_p95_ns", "peak",
)  # fmt: skip


def population_document(edge: Edge, scenario: Path) -> Document:
    """`retrospan.population/1`: one simulation per changed operation, over all flows."""
    from replay.population import simulate
    from replay.recording import recording_of
    from replay.scenario import load_scenario
    from store import read

    what_if = load_scenario(scenario)
    if not what_if.changes:
        raise UsageError(f"{scenario}: a population what-if needs `changes`")
    with edge.reading("reading flows to simulate") as session:
        flows = read.read_flows(session)
    if not flows:
        raise NotFoundError("the store holds no flow; load data with: retrospan ingest PATH")
    recordings = [(flow.start_ns, recording_of(flow)) for flow in flows]
    simulations: list[JsonValue] = []
    for change in what_if.changes:
        made = simulate(recordings, change)
        simulations.append(
            {
                "operation": made.operation,
                "rules": asdict(made.rules),
                "changed_rules": asdict(made.changed_rules),
                "recorded": asdict(made.recorded),
                "simulated": asdict(made.simulated),
                "changed": asdict(made.changed),
                "calibration_error_ppm": dict(made.calibration_ppm()),
            }
        )
    return {
        "schema": "retrospan.population/1",
        "scenario": what_if.name,
        "claim": "C4",
        "flows": len(flows),
        "simulations": simulations,
    }


def measure_rows(simulation: Document) -> list[Row]:
    """One row per measure: recorded, simulated, the error, changed."""
    recorded, simulated, changed, errors = (
        simulation[name] for name in ("recorded", "simulated", "changed", "calibration_error_ppm")
    )
    assert isinstance(recorded, dict)
    assert isinstance(simulated, dict)
    assert isinstance(changed, dict)
    assert isinstance(errors, dict)
    return [
        {
            "measure": name,
            "recorded": recorded[name],
            "simulated": simulated[name],
            "error_ppm": errors.get(name),
            "changed": changed[name],
        }
        for name in MEASURES
    ]
