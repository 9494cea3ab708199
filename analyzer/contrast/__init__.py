"""What sets one group of flows apart from another, with false discoveries under control.

In: the store and two groups of flows. Out: `Contrast`: attribute values, numbers and pairs of
values whose share differs between the groups, strongest first. `groups` says who is compared,
`facts` what is known of each flow, `compare` is the pure part. Start reading at `compare.contrast`.
"""

from analyzer.contrast.compare import ContrastSettings, contrast
from analyzer.contrast.difference import Contrast, Difference, Term
from analyzer.contrast.facts import read_facts
from analyzer.contrast.groups import FlowHead, Groups, read_heads

__all__ = [
    "Contrast",
    "ContrastSettings",
    "Difference",
    "FlowHead",
    "Groups",
    "Term",
    "contrast",
    "read_facts",
    "read_heads",
]
