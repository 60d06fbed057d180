"""Answers of experts from tables: read, checked against the cells there are, compared with the truth and a network."""
