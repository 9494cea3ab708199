"""Finds messages that one consumer worked on more than once.

Brokers deliver at least once (Hohpe & Woolf, "Enterprise Integration Patterns": Idempotent
Receiver). A repeat after a failure is how it should be; two deliveries that both ended well may
have done the thing twice, unless the consumer knew the message again, which spans do not tell.
"""

from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import total
from store.conclusions import Verdict

NAME = "message_redelivery"


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["message_redelivery"]
    found = []
    for row in rows:
        if not row["redelivered"]:
            continue
        again = row["done_again"]
        where = row["destination"] or "an unnamed destination"
        found.append(
            population_finding(
                NAME,
                subject=[row["destination"], row["service"]],
                severity="warning" if again else "info",
                verdict=Verdict.SUSPECTED if again else Verdict.PASS,
                message=f"{row['redelivered']} of {row['named']} messages of {where} came to "
                f"{row['service']} more than once, up to {row['most']} times; {again} of them "
                "were worked on to a good end more than once",
                remedy="Let the consumer store the message's id together with what it changes, "
                "and skip what it knows."
                if again
                else "The repeats followed failures; mend those.",
                spans=row["sample"],
                facts={
                    "destination": row["destination"],
                    "service": row["service"],
                    "messages": row["named"],
                    "redelivered": row["redelivered"],
                    "done_again": again,
                    "deliveries_most": row["most"],
                },
            )
        )
    nameless = total(rows, "messages") > 0 and not total(rows, "named")
    return Judged(
        findings=found,
        examined={"messages that can be told apart": total(rows, "named")},
        missing=["messaging.message.id"] if nameless else [],
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    detect=_detect,
)
