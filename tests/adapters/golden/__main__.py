"""Writes the golden files anew: `make golden`; read what changed before you commit it."""

from tests.adapters.golden import cases, read_case, write_case

for path in cases():
    write_case(path, read_case(path)[0])
