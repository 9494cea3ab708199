CREATE MACRO span_hex(id) AS format('{:016x}', id)
