"""Lists of homes (CSV, JSON, GeoJSON) as a way in: read, understood, checked, written.

file → `tables` or `structured` (rows of text) → `mapping` (which column means what) →
`entries` (one home each, or why not) → `intake` (the writer).
"""
