"""The way out: pages, live stream, exports, and the wiring of the app."""
