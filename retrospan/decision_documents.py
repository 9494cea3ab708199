"""The documents of `decisions show`, `verify`, `prove`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrospan.documents import Document, decision_row, evidence_document

if TYPE_CHECKING:
    from analyzer.oversight.joined import Joined
    from analyzer.oversight.provenance import Hop
    from retrospan.tree_head import Anchored, Head
    from store.decision_log import LogCheck, Proof
    from store.model import Decision


def listed(decision: "Decision", flow_id: str | None = None) -> Document:
    """A decision as a row of a list; an evaluation of a flag says what it is, and its source.

    `flow_id` is the flow it was found to be in, told where its record names none.
    """
    row = decision_row(decision)
    if flow_id is not None:
        row.setdefault("flow_id", flow_id)
    if decision.record.get("kind") == "flag":
        row.update(kind="flag", source=decision.record.get("source"))
    return row


def shown(it: "Joined", hops: Sequence["Hop"]) -> Document:
    """One decision, what became of it, and where it came from."""
    first = it.first_action
    return {
        "schema": "retrospan.decision_provenance/1",
        "decision": listed(it.decision),
        "flow_id": None if it.flow is None else it.flow.flow_id,
        "acted": it.acted,
        "gate": it.gate.value,
        "payload": it.payload.value,
        "action": None if first is None else first.name,
        "chain": [
            {
                "hop": hop.name,
                "link": hop.link.value,
                "said": hop.said,
                "lacks": hop.lacks,
                "evidence": None if hop.evidence is None else evidence_document(hop.evidence),
            }
            for hop in hops
        ],
    }


def chain_of(found: "LogCheck", anchor: "Anchored | None") -> str:
    """intact, broken or truncated: what the log's own leaves say, then the head."""
    if found.fault_count:
        return "broken"
    return "intact" if anchor is None else anchor.chain


def verified(found: "LogCheck", head: "Head | None", anchor: "Anchored | None") -> Document:
    """The state of the log."""
    producer = found.producer
    return {
        "schema": "retrospan.decisions_verify/1",
        "chain": chain_of(found, anchor),
        "first_broken": found.faults[0].leaf_index if found.faults else None,
        "tree_size": found.tree_size,
        "root_hash": found.root_hash.hex(),
        "purged": found.purged,
        "fault_count": found.fault_count,
        "faults": [
            {"leaf_index": it.leaf_index, "decision_id": it.decision_id, "said": it.said}
            for it in found.faults
        ],
        "gaps": [list(gap) for gap in producer.gaps] if producer.numbered else None,
        "producer": {
            "numbered": producer.numbered,
            "unnumbered": producer.unnumbered,
            "repeated": list(producer.repeated),
            "out_of_order": producer.out_of_order,
            "linked": producer.linked,
            "unlinked": producer.unlinked,
            "first_unlinked": producer.first_unlinked,
        },
        "anchor": None
        if head is None or anchor is None
        else {
            "chain": anchor.chain,
            "said": anchor.said,
            "tree_size": head.tree_size,
            "root_hash": head.root_hash.hex(),
            "signed_at": head.signed_at,
            "public_key": head.public_key,
            "genuine": head.genuine,
        },
    }


def proved(proof: "Proof") -> Document:
    """A proof that needs neither store nor key to be checked."""
    return {
        "schema": "retrospan.decisions_prove/1",
        "decision_id": proof.decision_id,
        "leaf_schema": "retrospan.leaf/1",
        "leaf_index": proof.leaf_index,
        "leaf_hash": proof.leaf.hex(),
        "tree_size": proof.tree_size,
        "root_hash": proof.root_hash.hex(),
        "path": [step.hex() for step in proof.path],
        "purged": proof.purged,
        "shown": {
            name: {"value": value, "salt": salt.hex()}
            for name, (value, salt) in sorted(proof.shown.items())
        },
        "hidden": {name: digest.hex() for name, digest in sorted(proof.hidden.items())},
    }
