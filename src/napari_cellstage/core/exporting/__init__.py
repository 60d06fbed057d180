"""Cells, labels and predictions out: crops in class folders, CSV, GeoJSON for QuPath, AnnData."""
