"""All that is kept, and all SQL."""
