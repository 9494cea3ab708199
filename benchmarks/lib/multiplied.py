"""A derived sample many times over, copied inside the store: a large store in seconds.

Every copy has flow, trace and decision ids of its own and lies later in time, so that questions
over flows have as many distinct ones as they would have. Logs are not copied.
"""

from store.lease import Store

FLOWS = """
INSERT INTO flows
SELECT * EXCLUDE (copy) REPLACE (
    flow_id || '-' || copy AS flow_id,
    start_ns + copy * $length AS start_ns,
    end_ns + copy * $length AS end_ns,
    list_transform(trace_ids, lambda id: md5(id || '-' || copy)) AS trace_ids,
    list_transform(decision_ids, lambda id: id || '-' || copy) AS decision_ids
)
FROM flows, (SELECT unnest(range(1, $copies)) AS copy)
"""
MEMBERS = """
INSERT INTO flow_members
SELECT flow_id || '-' || copy, md5(trace_hex(trace_id) || '-' || copy)::UUID, span_id
FROM flow_members, (SELECT unnest(range(1, $copies)) AS copy)
"""
SPANS = """
INSERT INTO spans
SELECT * EXCLUDE (copy) REPLACE (
    md5(trace_hex(trace_id) || '-' || copy)::UUID AS trace_id,
    start_ns + copy * $length AS start_ns,
    end_ns + copy * $length AS end_ns
)
FROM spans, (SELECT unnest(range(1, $copies)) AS copy)
"""
DECISIONS = """
INSERT INTO decisions
SELECT * EXCLUDE (copy) REPLACE (
    decision_id || '-' || copy AS decision_id,
    md5(trace_hex(trace_id) || '-' || copy)::UUID AS trace_id,
    time_ns + copy * $length AS time_ns,
    flow_id || '-' || copy AS flow_id
)
FROM decisions, (SELECT unnest(range(1, $copies)) AS copy)
"""
STEPS = """
INSERT INTO steps
SELECT * EXCLUDE (copy) REPLACE (
    flow_id || '-' || copy AS flow_id,
    start_ns + copy * $length AS start_ns,
    end_ns + copy * $length AS end_ns
)
FROM steps, (SELECT unnest(range(1, $copies)) AS copy)
"""
ATTEMPTS = """
INSERT INTO attempts
SELECT * EXCLUDE (copy) REPLACE (
    flow_id || '-' || copy AS flow_id,
    md5(trace_hex(trace_id) || '-' || copy)::UUID AS trace_id,
    start_ns + copy * $length AS start_ns,
    end_ns + copy * $length AS end_ns,
    callee_start_ns + copy * $length AS callee_start_ns,
    callee_end_ns + copy * $length AS callee_end_ns
)
FROM attempts, (SELECT unnest(range(1, $copies)) AS copy)
"""
SAGAS = """
INSERT INTO sagas
SELECT * EXCLUDE (copy) REPLACE (flow_id || '-' || copy AS flow_id)
FROM sagas, (SELECT unnest(range(1, $copies)) AS copy)
"""
FINDINGS = """
INSERT INTO findings
SELECT * EXCLUDE (copy) REPLACE (
    flow_id || '-' || copy AS flow_id,
    finding_id || '-' || copy AS finding_id
)
FROM findings, (SELECT unnest(range(1, $copies)) AS copy)
WHERE flow_id IS NOT NULL
"""
LENGTH = "SELECT max(coalesce(end_ns, start_ns)) - min(start_ns) + 1000000000 FROM flows"
TABLES = (FLOWS, MEMBERS, SPANS, DECISIONS, STEPS, ATTEMPTS, SAGAS, FINDINGS)


def multiply(store: Store, copies: int) -> tuple[int, int]:
    """Put the sample into its store `copies` times in all; says how many flows and spans it has."""
    with store.lease("multiplying the sample") as session:
        (length,) = session.cursor.execute(LENGTH).fetchone() or (0,)
        for statement in TABLES:
            bound = {"copies": copies, "length": length}
            used = {name: value for name, value in bound.items() if f"${name}" in statement}
            session.cursor.execute(statement, used)
        flows, spans = session.cursor.execute(
            "SELECT (SELECT count(*) FROM flows), (SELECT count(*) FROM spans)"
        ).fetchone() or (0, 0)
    return flows, spans


THICK = """
INSERT INTO spans
SELECT * EXCLUDE (copy) REPLACE (xor(span_id, copy::UBIGINT << 40) AS span_id)
FROM spans, (SELECT unnest([1, 2]) AS copy)
"""


def thicken(store: Store) -> int:
    """Put every span into its store twice more, as members of no flow; says how many there are."""
    with store.lease("adding spans") as session:
        session.cursor.execute(THICK)
        (spans,) = session.cursor.execute("SELECT count(*) FROM spans").fetchone() or (0,)
    return int(spans)
