"""`make soak DURATION=90 SEED=1`: the last line is JSON with the counts."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from tests.soak.run import Plan, soak


def main() -> int:
    """Soak once; 0 where nothing was lost, doubled, out of order or half done."""
    given = argparse.ArgumentParser(prog="make soak")
    given.add_argument("--seconds", type=float, default=Plan.seconds)
    given.add_argument("--seed", type=int, default=Plan.seed)
    given.add_argument("--rate", type=float, default=Plan.rate, help="questions a second")
    given.add_argument("--conversations", type=int, default=Plan.conversations)
    given.add_argument("--processes", type=int, default=Plan.processes)
    given.add_argument("--rolling", action="store_true", help="restart one process after the other instead")
    given.add_argument("--grace", type=float, help="seconds that running answers have at a stop")
    given.add_argument("--logs", type=Path, help="where logs are kept of a run that fails")
    words = vars(given.parse_args())
    logs = words.pop("logs")
    logging.basicConfig(level=logging.ERROR)
    plan = Plan(**words)
    print(f"seed {plan.seed}: {plan.seconds:.0f} s, {plan.processes} processes", flush=True)
    outcome = asyncio.run(soak(plan, logs))
    for note in outcome.verdict.notes[:40]:
        print(f"  {note}")
    print(json.dumps(outcome.told()))
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
