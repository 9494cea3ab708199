"""A derived store many times over, copied inside DuckDB: a large store in minutes.

Every copy has flow, trace, decision and incident ids of its own and lies later in time, telemetry
and conclusions both, so that questions have as many distinct ones as they would have. What texts
and evidence name, and bodies, stay those of the original: nothing was derived from the copies.
"""

from pathlib import Path

from store.lease import Store

TABLES = sorted((Path(__file__).parent / "multiply").glob("*.sql"))
"""One INSERT per table, in order; the table is the name after the number."""
LENGTH = "SELECT max(coalesce(end_ns, start_ns)) - min(start_ns) + 1000000000 FROM flows"
COUNTS = "SELECT (SELECT count(*) FROM flows), (SELECT count(*) FROM spans)"


def multiply(store: Store, copies: int, apart_ns: int = 0) -> tuple[int, int]:
    """Put the store into itself `copies` times in all; says how many flows and spans it has.

    Copies begin one after the other, or `apart_ns` apart where that is later.
    """
    with store.lease("multiplying the sample") as session:
        run = session.cursor.execute
        ((length,),) = run(LENGTH).fetchall()
        later_ns = max(int(length or 0), apart_ns)
        last = {}
        for path in TABLES:
            rows = session.cursor.table(path.stem.partition("_")[2])
            ((last[path],),) = rows.aggregate("coalesce(max(rowid), -1)").fetchall()
        for copy in range(1, copies):
            run("BEGIN")
            for path in TABLES:
                statement = path.read_text("utf-8")
                bound = {"copy": copy, "later_ns": copy * later_ns, "last": last[path]}
                run(statement, {name: it for name, it in bound.items() if f"${name}" in statement})
            run("COMMIT")
        ((flows, spans),) = run(COUNTS).fetchall()
    return int(flows), int(spans)


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
