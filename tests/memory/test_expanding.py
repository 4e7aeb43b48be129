"""Each revision after the second only adds, so that the version before it goes on beside it, unhindered."""

from __future__ import annotations

import io
import re
from functools import cache

import pytest
from alembic import command
from alembic.config import Config

from bot.memory.migrations import FOLDER, revisions

# What an older program may be using, and what rewrites or reads a whole table under a lock.
FORBIDDEN = {
    "drops": r"\bDROP (TABLE|COLUMN|CONSTRAINT|TYPE|FUNCTION|TRIGGER|VIEW|SCHEMA|NOT NULL|DEFAULT)\b",
    "renames": r"\bRENAME (TO|COLUMN|CONSTRAINT)\b",
    "changes a column": r"\bALTER COLUMN\b",
    "adds what old programs do not fill": r"\bADD COLUMN (?=.*\bNOT NULL\b)(?!.*\bDEFAULT\b)",
    "rewrites rows": r"^(UPDATE|DELETE)\b(?!.*alembic_version)|\bADD COLUMN .*\b(GENERATED|random\(\)|uuid)",
    "drops an index under a lock": r"\bDROP INDEX (?!CONCURRENTLY)",
}


@cache
def statements(revision: str) -> list[str]:
    """Give what a revision does as SQL, a statement each."""
    before = revisions()[revisions().index(revision) - 1]
    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, f"{before}:{revision}", sql=True)
    text = re.sub(r"(?m)^--.*$", "", written.getvalue())
    return [" ".join(statement.split()) for statement in text.split(";") if statement.strip()]


def objections(done: list[str]) -> list[str]:
    found = [
        f"{why}: {statement}"
        for statement in done
        for why, pattern in FORBIDDEN.items()
        if re.search(pattern, statement, re.IGNORECASE)
    ]
    made = {name for statement in done for name in re.findall(r"^CREATE TABLE (\w+)", statement)}
    for statement in done:
        index = re.match(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\w+ ON (\w+)", statement)
        if index and index[1] not in made:
            found.append(f"an index under a lock: {statement}")
        added = re.match(r"ALTER TABLE (\w+) ADD CONSTRAINT(?!.*NOT VALID)", statement)
        if added and added[1] not in made:
            found.append(f"a constraint that reads the whole table under a lock: {statement}")
    return found


@pytest.mark.parametrize("revision", [one for one in revisions() if one > "0002"])
def test_a_revision_only_adds(revision: str) -> None:
    done = statements(revision)
    assert any("alembic_version" in statement for statement in done), "the SQL was written"
    assert objections(done) == []


def test_what_does_more_is_seen() -> None:
    # The second revision came before the first release.
    seen = " ".join(objections(statements("0002")))
    assert "ALTER COLUMN files TYPE" in seen
    assert "DROP CONSTRAINT turns_state_check" in seen
    assert "an index under a lock: CREATE INDEX messages_erase_index" in seen
    assert "a constraint that reads" in seen
    for statement, why in {
        "ALTER TABLE turns ADD COLUMN x text NOT NULL": "do not fill",
        "ALTER TABLE turns RENAME COLUMN a TO b": "renames",
        "UPDATE turns SET state = 'done'": "rewrites",
        "DROP INDEX turns_open_index": "drops an index",
    }.items():
        assert why in " ".join(objections([statement]))
    assert objections(["ALTER TABLE turns ADD COLUMN x text DEFAULT '' NOT NULL"]) == []
