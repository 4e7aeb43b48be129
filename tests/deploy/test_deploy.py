"""What `deploy/` holds fits the program: its roles, its settings, its pauses; no secret has a value there."""

from __future__ import annotations

import configparser
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import bot.worker.queue
from bot.app.roles import ALL, read_roles
from bot.config import Settings
from bot.memory.database import Database
from tests.test_house import names_of

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
MANIFESTS = [
    manifest
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text("utf-8"))
]
DEPLOYMENTS = {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == "Deployment"}
UNIT = (DEPLOY / "systemd" / "frontdesk@.service").read_text("utf-8")
TARGET = (DEPLOY / "systemd" / "frontdesk.target").read_text("utf-8")
SETTINGS = set(names_of(Settings, "BOT_"))
GRACE = Settings(_env_file=None).work.grace_seconds
# What stopping takes besides: the doors before, the last words and the closing of connections after.
BESIDES = 15.0


def deployed() -> Iterator[tuple[str, str]]:
    """Give each file that the roles are deployed with, and its text."""
    for file in sorted(DEPLOY.rglob("*")):
        if file.is_file() and not file.name.startswith("slack-manifest") and file.suffix != ".lock":
            yield file.relative_to(ROOT).as_posix(), file.read_text("utf-8")


def test_each_variable_is_a_setting() -> None:
    named = {(file, name) for file, text in deployed() for name in re.findall(r"\bBOT_[A-Z_]+\b", text)}
    assert len(named) > 5
    assert {(file, name) for file, name in named if name not in SETTINGS} == set()


def test_no_secret_has_a_value() -> None:
    secrets = {name for name in SETTINGS if name.endswith(("TOKEN", "KEY", "SECRET"))} | {"POSTGRES_PASSWORD"}
    assert len(secrets) > 5
    pattern = re.compile(rf"\b({'|'.join(secrets)})\b\s*[=:]\s*(?!\$\{{)['\"]?[\w-]")
    assert {file: pattern.findall(text) for file, text in deployed() if pattern.search(text)} == {}
    url = OURS["worker"]["environment"]["BOT_DATABASE_URL"]
    assert re.search(r":\$\{POSTGRES_PASSWORD:\?[^}]+\}@", url), "without a password nothing may start"


def test_each_place_runs_every_role_that_there_is() -> None:
    in_compose = [service["command"] for service in OURS.values()]
    in_kubernetes = [one["spec"]["template"]["spec"]["containers"][0]["args"] for one in DEPLOYMENTS.values()]
    for commands in (in_compose, in_kubernetes):
        assert all(words[:2] == ["run", "--role"] for words in commands)
        assert {role for words in commands for role in read_roles(words[2])} == ALL
    instances = re.findall(r"frontdesk@(\S+)\.service", TARGET)
    assert {role for instance in instances for role in read_roles(instance)} == ALL


@pytest.mark.parametrize(
    ("instance", "role"), [("worker", "worker"), ("worker-2", "worker"), ("gateway-east-1", "gateway")]
)
def test_a_unit_reads_its_role_before_the_dash(instance: str, role: str) -> None:
    (line,) = re.findall(r"(?m)^ExecStart=/bin/sh -c '(.+)'$", UNIT)
    script = line.replace("%%", "\0").replace("%i", instance).replace("\0", "%").replace("$$", "$")
    assert "/opt/frontdesk/.venv/bin/bot" in script
    script = script.replace("exec /opt/frontdesk/.venv/bin/bot", "exec echo")
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["run", "--role", role]


def test_who_is_told_to_stop_gets_more_time_than_its_answers() -> None:
    given = {name: seconds(service["stop_grace_period"]) for name, service in OURS.items()}
    given["systemd"] = float(section(UNIT, "Service")["TimeoutStopSec"])
    for name, one in DEPLOYMENTS.items():
        given[name] = float(one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"])
    assert {name: time for name, time in given.items() if time < GRACE + BESIDES} == {}


def test_whoever_dies_is_started_again_with_growing_pauses() -> None:
    assert {service["restart"] for service in SERVICES.values()} == {"unless-stopped"}
    service = section(UNIT, "Service")
    assert service["Restart"] == "always"
    assert section(UNIT, "Unit")["StartLimitIntervalSec"] == "0"
    assert float(service["RestartMaxDelaySec"]) > float(service["RestartSec"]) > 0


def test_postgres_keeps_its_data_and_has_room_for_our_connections() -> None:
    postgres = SERVICES["postgres"]
    assert "pgvector" in postgres["image"]
    assert {mount.split(":")[0] for one in SERVICES.values() for mount in one["volumes"]} == set(
        COMPOSE["volumes"]
    )
    assert "pg_isready" in postgres["healthcheck"]["test"]
    (most,) = [int(word.split("=")[1]) for word in postgres["command"] if word.startswith("max_connections")]
    assert most >= 5 * connections()[0], "five processes, each with all the connections that it may open"


def test_the_page_on_scaling_counts_our_connections() -> None:
    worker, other = connections()
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    assert f"{worker} for a worker or a process that does everything, {other} for the others" in page


def test_each_deployment_is_probed_and_survives_a_drain() -> None:
    budgets = {one["metadata"]["name"]: one["spec"] for one in MANIFESTS if "Disruption" in one["kind"]}
    assert set(budgets) == set(DEPLOYMENTS)
    for name, one in DEPLOYMENTS.items():
        pods = one["spec"]["selector"]["matchLabels"]
        assert one["spec"]["template"]["metadata"]["labels"] == pods
        assert budgets[name]["selector"]["matchLabels"] == pods
        (container,) = one["spec"]["template"]["spec"]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
        assert container["securityContext"]["readOnlyRootFilesystem"]
    (job,) = [one for one in MANIFESTS if one["kind"] == "Job"]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    copied = re.findall(r"(?m)^COPY (?!--from)(\S+) ", DOCKERFILE)
    let_through = re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"))
    assert copied
    assert sorted(copied) == sorted(let_through)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert Path(COMPOSE["services"]["worker"]["build"]["dockerfile"]) == Path("deploy/Dockerfile")


def test_the_image_runs_as_nobody_in_particular_with_a_python_that_is_supported() -> None:
    (base,) = re.findall(r"(?m)^ARG BASE=python:(\d+)\.(\d+)-slim-\w+$", DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least = re.search(r">=(\d+)\.(\d+)", project["requires-python"])
    assert least is not None
    assert tuple(map(int, base)) >= tuple(map(int, least.groups()))
    (user,) = re.findall(r"(?m)^USER (\d+):", DOCKERFILE)
    assert int(user) > 0
    assert {
        one["spec"]["template"]["spec"]["securityContext"]["runAsUser"] for one in DEPLOYMENTS.values()
    } == {int(user)}
    assert re.search(r"(?m)^STOPSIGNAL SIGTERM$", DOCKERFILE)
    assert re.search(r"--require-hashes.*-r requirements\.lock", re.sub(r"\\\n\s*", "", DOCKERFILE))


def test_the_health_check_of_the_image_is_a_program() -> None:
    (check,) = re.findall(r'"import os, (.+)"\]', DOCKERFILE)
    compile(f"import os, {check}", "HEALTHCHECK", "exec")
    assert "/healthz" in check


def connections() -> tuple[int, int]:
    """Count what a worker, and any other process, may open: two pools, the bell, the queue's own pool."""
    pool: int = inspect.signature(Database).parameters["pool"].default
    (queue,) = re.findall(r"max_size=(\d+)", inspect.getsource(bot.worker.queue))
    other = pool + pool // 2 + pool + 1
    return other + int(queue), other


def linted(*words: str) -> None:
    """Run a linter; what it says is the failure."""
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program at the top of the repository."""
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing() -> None:
    linted(str(Path(sys.executable).parent / "hadolint"), "deploy/Dockerfile")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_takes_the_units() -> None:
    linted("systemd-analyze", "verify", "--man=no", *map(str, sorted((DEPLOY / "systemd").iterdir())))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_kustomize_builds_the_manifests() -> None:
    linted("kubectl", "kustomize", "deploy/kubernetes")


def test_compose_reads_the_file() -> None:
    if shutil.which("docker") is None or run("docker", "compose", "version").returncode:
        pytest.skip("no docker compose on this machine")
    linted("docker", "compose", "--file", "deploy/compose.yaml", "config", "--quiet", "--no-interpolate")


def seconds(text: str) -> float:
    """Read a time as compose writes it."""
    return float(text.removesuffix("s"))


def section(unit: str, name: str) -> configparser.SectionProxy:
    """Read a section of a unit; a key that comes twice would be no error there, and is one here."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit)
    return parser[name]
