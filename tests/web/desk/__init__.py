"""The desks of municipalities."""
