"""One file per page, found by its place: each exports `PAGE`."""
