"""The Review step: matrix, lists, map, runs and people above one gallery. They meet in the session only."""
