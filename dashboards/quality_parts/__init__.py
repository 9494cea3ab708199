"""The Data quality page in parts: in, the gaps of the store; out, its tables."""
