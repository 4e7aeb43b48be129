"""The one place that builds things and wires them."""
