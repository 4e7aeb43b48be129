"""Platforms' dialects, in and out."""
