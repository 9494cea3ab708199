DELETE FROM clock_skew
