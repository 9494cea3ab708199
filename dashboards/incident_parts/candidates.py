"""What may have caused an incident, as far as the data points anywhere."""

import streamlit as st

from dashboards.incident_parts.contrasts import contrast_part
from store.conclusions import Incident


def candidates_tab(incident: Incident) -> None:
    """Candidates with their parts, then what sets the affected flows apart."""
    st.subheader("What sets the affected flows apart")
    contrast_part(incident)
