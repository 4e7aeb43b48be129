"""Markdown, read once into a small tree that each platform writes in its own dialect."""
