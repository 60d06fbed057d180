"""The published studies that this program grew from, run again end to end: data, methods, tables. No window."""
