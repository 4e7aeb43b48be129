"""Models' dialects."""
