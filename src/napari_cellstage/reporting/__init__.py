"""Reports: what a run folder holds, as one HTML page. `write` has the door, the template has the words."""

from napari_cellstage.reporting.write import ReportError, write_report

__all__ = ["ReportError", "write_report"]
