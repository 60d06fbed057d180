"""How good predictions are: splits, figures with intervals, calibration, paired tests. Pure functions."""
