"""The tools whose SLO files are converted, one module each."""
