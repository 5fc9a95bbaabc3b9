"""The way in: who may report, and how reports arrive."""
