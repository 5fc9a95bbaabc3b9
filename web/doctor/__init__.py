"""`freiplatz doctor`: what it looks at, and what to do about what it finds."""
