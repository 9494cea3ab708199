-- They quote what was recorded; whoever asks gets them concluded again from what is left.
DELETE FROM incident_causes
