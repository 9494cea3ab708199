"""The enrichment system's services, and how a recording of it is made."""

from __future__ import annotations

from sample_traces.services.enrichment.companies import submission
from sample_traces.services.enrichment.expected import expected
from sample_traces.services.enrichment.reviews import decision_lines
from sample_traces.services.system import Service, System

SYSTEM = System(
    name="enrichment",
    services={
        "message-broker": Service(module="broker", version="0.9.1", traced=False),
        "intake": Service(module="intake", version="5.2.0"),
        "register-provider": Service(module="register_provider", version="unknown"),
        "registry-lookup": Service(module="registry_lookup", version="2.0.0"),
        "language-model": Service(module="language_model", version="2026.4"),
        "extractor": Service(module="extractor", version="3.0.0"),
        "curation": Service(module="curation", version="1.1.0"),
        "profile-writer": Service(module="profile_writer", version="1.4.0"),
        "profile-store": Service(module="profile_store", version="9.0.3"),
        "search-index": Service(module="search_index", version="4.4.2"),
        "dead-letters": Service(module="dead_letters", version="1.0.0"),
    },
    leader="intake",
    path="/enrichments",
    request=submission,
    expected=expected,
    decisions=decision_lines,
    consumers=frozenset({"registry-lookup", "extractor", "profile-writer"}),
    settle_s=12.0,
)
