"""The Compensation page in parts: in, flows with a saga; out, what its sections draw."""
