"""Published schemas of the formats that retrospan defines."""
