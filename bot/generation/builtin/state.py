"""What the model's server tells its sharers: a small file of their own in the data folder."""

from __future__ import annotations

import http.client
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bot.generation.builtin.weights import write_whole

MODULE = "bot.generation.builtin"


@dataclass(frozen=True, slots=True)
class State:
    """A running server: where it listens, the key that opens it, and which process it is."""

    port: int
    api_key: str
    pid: int

    def process(self) -> psutil.Process | None:
        """Find the server's process; None where it is dead or the number is another program's."""
        try:
            process = psutil.Process(self.pid)
            if process.status() != psutil.STATUS_ZOMBIE and MODULE in process.cmdline():
                return process
        except psutil.Error:
            pass
        return None

    def context_tokens(self) -> int:
        """Ask how many tokens each request may have; 0 where nobody, or somebody else, answers."""
        # No proxy of the environment is meant for our own machine, so nothing cleverer than this is used.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {self.api_key}"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            return int(body["data"][0]["meta"]["n_ctx"]) if answer.status == 200 else 0
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            return 0
        finally:
            connection.close()


def write_state(path: Path, state: State) -> None:
    """Put the state where the sharers find it, readable by this user alone."""
    write_whole(path, json.dumps(asdict(state)))


def read_state(path: Path) -> State | None:
    """Read the state that a server left; None where there is none, or it is unreadable."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return State(int(found["port"]), str(found["api_key"]), int(found["pid"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
