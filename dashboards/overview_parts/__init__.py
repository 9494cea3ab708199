"""The Overview in parts: in, counts over the flows in scope; out, its cards."""
