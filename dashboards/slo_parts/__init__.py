"""The SLOs page in parts: in, objectives judged over flows; out, what its sections draw."""
