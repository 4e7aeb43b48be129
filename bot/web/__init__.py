"""The pages and the HTTP routes."""
