"""Measures the house: sizes, names, walls, and what may not be committed."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.config import Settings

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("bot", "migrations")
    for path in (ROOT / folder).rglob("*.py")
)
MANY_NAMES = {
    "bot/cli.py",  # one a command
    "bot/dialogue/__init__.py",
    "bot/dialogue/heard.py",
    "bot/dialogue/answers.py",
    "bot/errors.py",
    "bot/ports/__init__.py",
    "bot/ports/platforms.py",
    "bot/ports/rooms.py",
    "bot/config/fields.py",
    "bot/config/settings.py",
    "bot/memory/models/columns.py",
}
HOMES = {
    "slack_bolt": r"bot/adapters/slack",
    "slack_sdk": r"bot/adapters/slack",
    "discord": r"bot/adapters/discord",
    "openai": r"bot/generation/openai",
    "prometheus_client": r"bot/telemetry",
    "opentelemetry": r"bot/telemetry",
    "sqlalchemy": r"bot/memory|bot/worker|bot/app|migrations",
    "procrastinate": r"bot/memory|bot/worker|bot/app|migrations",
    "bot.config": r"bot/app|bot/cli|bot/config",
}
# Modules (or, with a slash, rooms) without a test module of their own, and where they are tested instead.
TESTED_ELSEWHERE = {
    "bot/dialogue/": "words without behaviour",
    "bot/errors.py": "words without behaviour",
    "bot/ports/__init__.py": "seams; each side is tested where it stands",
    "bot/ports/platforms.py": "seams",
    "bot/ports/rooms.py": "seams",
    "bot/app/": "tests/walks",
    "bot/config/": "tests/test_config.py",
    "bot/cli.py": "tests/walks/test_programs.py",
    "bot/adapters/fences.py": "tests/adapters/test_pieces.py",
    "bot/adapters/keyboard.py": "tests/adapters/test_terminal.py",
    "bot/adapters/discord/gateway.py": "tests/adapters/discord/test_listening.py",
    "bot/adapters/discord/lines.py": "tests/adapters/discord/test_listening.py",
    "bot/generation/openai/checks.py": "tests/generation/test_openai_checks.py",
    "bot/memory/models/": "tables without behaviour",
    "bot/memory/chains.py": "tests/memory/test_summaries.py",
    "bot/memory/news.py": "tests/memory/test_inbox.py",
    "bot/memory/places.py": "tests/memory/test_inbox.py",
    "bot/memory/rows.py": "tests/memory/test_inbox.py",
    "bot/web/gate.py": "tests/web/test_site.py",
    "bot/web/stream.py": "tests/web/test_talk.py",
}
# Besides the worker, what keeps parts alive: it logs what they die of and begins them again.
SUPERVISORS = {"bot/app/supervising.py"}
PROMISED_SETTINGS = {
    "BOT": ["DATABASE_URL", "DATA_DIR", "PERSONA"],
    "BOT_SLACK_": ["BOT_TOKEN", "APP_TOKEN", "API_URL"],
    "BOT_DISCORD_": ["TOKEN", "API_URL"],
    "BOT_MODEL_": ["BASE_URL", "API_KEY", "NAME", "PATH", "CONTEXT_TOKENS", "ANSWER_TOKENS"],
    "BOT_WEB_": ["HOST", "PORT", "TOKEN"],
    "BOT_LOG_": ["FORMAT"],
}

each_module = pytest.mark.parametrize("module", MODULES)


@cache
def source(module: str) -> str:
    return (ROOT / module).read_text("utf-8")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module))


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public(module: str) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def committed() -> list[str]:
    """Every file that git keeps; the test is skipped in a copy without git."""
    try:
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@each_module
def test_a_module_has_at_most_three_hundred_lines(module: str) -> None:
    assert len(source(module).splitlines()) <= 300


@each_module
def test_a_function_has_at_most_forty_lines(module: str) -> None:
    if module.startswith("migrations/versions/"):
        return  # a table's columns, one a line
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(module) if f.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > 40} == {}


@each_module
def test_a_module_has_few_public_names(module: str) -> None:
    names = [node.name for node in public(module)]
    assert module in MANY_NAMES or len(names) <= 8, names


@each_module
def test_no_module_has_a_name_that_says_nothing(module: str) -> None:
    said = set(Path(module).with_suffix("").parts)
    assert not said & {"utils", "util", "helpers", "helper", "common", "base", "misc"}


@each_module
def test_each_sdk_and_the_settings_have_one_home(module: str) -> None:
    for name in imports(module):
        for guest, home in HOMES.items():
            if name == guest or name.startswith(guest + "."):
                assert re.match(home, module), f"{name} is not at home here"


@each_module
def test_everything_public_says_what_it_is(module: str) -> None:
    if not module.startswith("migrations/versions/") and source(module).strip():
        assert ast.get_docstring(tree(module)), "the module has no docstring"
        assert [node.name for node in public(module) if not ast.get_docstring(node)] == []


@each_module
def test_only_the_worker_catches_everything(module: str) -> None:
    if module.startswith("bot/worker") or module in SUPERVISORS:
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler) and catches_everything(node):
            last = node.body[-1]
            assert isinstance(last, ast.Raise), f"line {node.lineno} swallows every error"
            assert last.exc is None, f"line {node.lineno} swallows every error"


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    listed = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = {"Exception", "BaseException"}
    return any(item is None or (isinstance(item, ast.Name) and item.id in broad) for item in listed)


@each_module
def test_nothing_is_printed_but_by_the_command_line(module: str) -> None:
    if not re.match(r"bot/(cli|terminal|adapters/(console|terminal))", module):
        calls = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls)


@each_module
def test_each_module_has_its_test_at_the_same_place(module: str) -> None:
    path = Path(module)
    if not module.startswith("bot/") or path.name in ("__init__.py", "__main__.py"):
        return
    inner = path.relative_to("bot")
    mirrored = ROOT / "tests" / inner.parent / f"test_{inner.name}"
    listed = any(module == place or module.startswith(place) for place in TESTED_ELSEWHERE)
    if not listed and not mirrored.is_file():
        served = module in imported_by_tests_of(inner.parent)
        assert served, (
            f"there is no {mirrored.relative_to(ROOT)}, nor do the tests beside it import the module"
        )


@cache
def imported_by_tests_of(folder: Path) -> set[str]:
    """The modules that the tests of the same folder, or the one above, import or get from their package."""
    places = {ROOT / "tests" / folder, ROOT / "tests" / folder.parent}
    tests = [test for place in places for test in place.glob("*.py")]
    names = {name for test in tests for name in imports(test.relative_to(ROOT).as_posix())}
    packages = {f"{name.replace('.', '/')}/__init__.py" for name in names}
    names |= {name for package in packages & set(MODULES) for name in imports(package)}
    return {name.replace(".", "/") + ".py" for name in names}


def test_what_is_tested_elsewhere_exists() -> None:
    assert [place for place in TESTED_ELSEWHERE if not (ROOT / place).exists()] == []
    places = [place for place in TESTED_ELSEWHERE.values() if place.startswith("tests/")]
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "deploy/model.lock"])
def test_a_lock_file_pins_by_hash_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"://|^\s*-", text.replace("    --hash=", ""), re.MULTILINE)
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", text).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_no_committed_file_holds_a_machines_path_or_a_registry() -> None:
    banned = [f"/{place}/" for place in ("work", "root", "tmp/work")]
    banned += [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"))]
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}" for word in banned))
    found = {}
    for name in committed():
        try:
            text = (ROOT / name).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if hit := pattern.search(text):
            found[name] = hit.group()
    assert found == {}


def test_no_committed_file_is_large() -> None:
    assert [name for name in committed() if (ROOT / name).stat().st_size > 1_000_000] == []


def test_both_readmes_have_the_same_parts() -> None:
    levels = []
    for name in ("README.md", "README.zh-CN.md"):
        prose = re.sub(r"(?ms)^```.*?^```", "", (ROOT / name).read_text("utf-8"))
        levels.append([len(marks) for marks in re.findall(r"(?m)^(#+) ", prose)])
    assert levels[0] == levels[1]
    assert len(levels[0]) > 5


def names_of(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from names_of(kind, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


def test_the_example_names_every_setting_and_no_other() -> None:
    named = re.findall(r"(?m)^# ?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"))
    settings = set(names_of(Settings, "BOT_"))
    assert sorted(named) == sorted(settings | {"OPENAI_API_KEY", "OPENAI_BASE_URL"})
    promised = {f"{section}_{name}" for section, names in PROMISED_SETTINGS.items() for name in names}
    assert promised <= settings


def test_the_example_explains_each_setting_in_one_line_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert all(not line or line.startswith("#") for line in lines)
    for line, above in zip(lines[1:], lines, strict=False):
        if re.match(r"# ?[A-Z_]+=", line):
            assert re.match(r"# [^=]{10,}$", above), f"{line} is not explained"


def test_both_readmes_name_every_setting() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text("utf-8")
        assert [setting for setting in sorted(names_of(Settings, "BOT_")) if setting not in text] == []
