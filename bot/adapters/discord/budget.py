"""The budget of a token's requests: each process keeps to its share of what Discord allows a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

# Fifty a second, says Discord's "Global Rate Limit"; a tenth is left for clocks, retries and start-ups.
_A_SECOND = 50 * 0.9


class Budget:
    """Lets no more calls through in any second than this process' share, in the order they came."""

    def __init__(self, processes: Callable[[], int], a_second: float = _A_SECOND) -> None:
        """`processes` says how many share `a_second` calls at this moment."""
        self._processes = processes
        self._a_second = a_second
        self._calls: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def spend(self) -> None:
        """Return when one more call is within the share."""
        async with self._turn:
            rest = self._rest()
            while rest > 0:
                await asyncio.sleep(rest)
                rest = self._rest()
            self._calls.append(time.monotonic())

    def _rest(self) -> float:
        """Say how long to wait; the share is asked for each time, since processes come and go."""
        share = self._a_second / max(1, self._processes())
        most, within = (int(share), 1.0) if share >= 1 else (1, 1 / share)
        while self._calls and self._calls[0] + within <= time.monotonic():
            self._calls.popleft()
        if len(self._calls) < most:
            return 0.0
        return max(0.001, self._calls[len(self._calls) - most] + within - time.monotonic())
