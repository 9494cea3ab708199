DELETE FROM dirty_traces
