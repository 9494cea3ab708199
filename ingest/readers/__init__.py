"""One file per input format, found by its place: each exports `READER`."""
