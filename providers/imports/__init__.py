"""Lists of homes as a way in: read, understood, checked, written.

file → `separated`, `spreadsheets`, `structured` or `gml` (rows of text) → `mapping` (which
column means what) → `entries` (one home each, or why not) → `register` (which of them are
known) → `intake` (the writer).
"""
