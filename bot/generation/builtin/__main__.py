"""The process that serves the model on board: `python -m bot.generation.builtin`, its order on stdin."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import xllamacpp

from bot.generation.builtin.state import State, write_state
from bot.sharing import deserted

_SLOTS = 2
_GLANCE = 0.5


def main() -> None:
    """Serve until nobody shares us any more; whoever stops us before does it by a signal."""
    order = json.load(sys.stdin)
    server = _serve(order)
    port = int(server.listening_address.rpartition(":")[2])
    state_path = Path(order["state"])
    write_state(state_path, State(port, order["api_key"], os.getpid()))
    while not deserted(Path(order["data_dir"]), order["sharing"]):
        time.sleep(_GLANCE)
    state_path.unlink(missing_ok=True)
    # The server's own threads are not waited for: nobody is left to read what they say.
    os._exit(0)


def _serve(order: dict[str, Any]) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = order["model"]
    parameters.model_alias = {order["name"]}
    # Each slot gets its part of the context, and a sharer was promised the whole for each request.
    parameters.n_parallel = _SLOTS
    parameters.n_ctx = order["context_tokens"] * _SLOTS
    threads = max(1, (os.cpu_count() or 1) - 1)  # with all cores taken, everything crawls
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.cache_ram_mib = 256  # 8 GB by default
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = _port(order["port"])
    parameters.api_keys = [order["api_key"]]
    parameters.ui = False
    parameters.endpoint_slots = False  # it would show what is being asked
    parameters.verbosity = 1  # errors
    if order["small"]:
        _calm(parameters.sampling)
    return xllamacpp.Server(parameters)


def _calm(sampling: Any) -> None:
    """Let the small model write what it thinks likeliest; the usual 0.8 makes it ramble."""
    sampling.temp = 0.2
    sampling.top_p = 0.9
    sampling.penalty_repeat = 1.05


def _port(wanted: int) -> int:
    """Return the port where it is free, otherwise 0, which takes any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


if __name__ == "__main__":
    main()
