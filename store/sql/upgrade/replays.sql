SELECT count(*)
FROM replays
