CREATE MACRO trace_hex(id) AS replace(id::VARCHAR, '-', '')
