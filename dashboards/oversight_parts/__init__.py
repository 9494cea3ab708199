"""The AI governance page in parts: in, joined decisions in scope; out, what its tabs draw."""
