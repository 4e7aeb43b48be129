"""A long walk: several processes over both doubles, while something breaks every few seconds."""
