"""Cells, classes, labels and measurements: plain Python and numpy, no torch, no window."""
