"""What we allow ourselves of Slack's rate limits, which are a workspace's, not an answer's."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

CHANNELS = 1_000
RESERVE = 3


class Budget:
    """A token bucket; `burst` calls at once, then `per_minute`, divided among so many as `share` says."""

    def __init__(self, per_minute: float, burst: int, share: Callable[[], int] = lambda: 1) -> None:
        """Begin with a full bucket; `share` may say something else at any time."""
        self._seconds = 60.0 / per_minute
        self._most = burst
        self._share = share
        self._full_at = 0.0  # when the bucket is full again

    @property
    def _gap(self) -> float:
        return self._seconds * self._share()

    @property
    def _burst(self) -> int:
        return max(1, self._most // self._share())

    def take(self, calls: int = 1) -> bool:
        """Take so many calls if there are as many now, else none."""
        if calls > 1 and self.left() < calls:
            return False
        return all(self._take() <= 0 for _ in range(calls))

    def give_back(self) -> None:
        """Give back a call that was taken and not made."""
        self._full_at -= self._gap

    def left(self) -> int:
        """How many calls could be taken now."""
        now = asyncio.get_running_loop().time()
        return int((now + self._gap * self._burst - max(self._full_at, now)) / self._gap + 1e-6)

    async def wait(self) -> None:
        """Take one call as soon as there is one."""
        while True:
            seconds = self._take()
            if seconds <= 0:
                return
            await asyncio.sleep(seconds)

    def rest(self, seconds: float) -> None:
        """Allow nothing for so long, as the platform asked."""
        until = asyncio.get_running_loop().time() + seconds
        self._full_at = max(self._full_at, until + self._gap * (self._burst - 1))

    def _take(self) -> float:
        now = asyncio.get_running_loop().time()
        full_at = max(self._full_at, now)
        missing = full_at + self._gap - (now + self._gap * self._burst)
        if missing <= 1e-9:
            self._full_at = full_at + self._gap
            return 0.0
        return missing


class Budgets:
    """
    The budgets of one workspace, each somewhat under Slack's own limit (its documentation's tiers).

    `share` says among how many processes they are divided.
    """

    def __init__(self, share: Callable[[], int] = lambda: 1) -> None:
        """Tier 2 is 20 a minute, tier 3 is 50, tier 4 is 100; posts are about one a second a channel."""
        self._share = share
        self.starts = Budget(15, 15, share)
        self.appends = Budget(90, 30, share)
        self.updates = Budget(45, 20, share)
        self.sessions = Budget(45, 30, share)
        self.pledged = 0  # messages that stand unfinished and will need an update at their end
        self._posts: OrderedDict[str, Budget] = OrderedDict()

    def spare_update(self) -> bool:
        """Say whether an update that is not a last one can be had without delaying those."""
        return self.updates.left() > self.pledged + RESERVE

    def spare_post(self, channel: str) -> bool:
        """Take a post that could be left out, and the update it will need, where others do not need them."""
        return self.posts(channel).left() > 1 and self.spare_update() and self.updates.take()

    def posts(self, channel: str) -> Budget:
        """The budget for new messages in one channel."""
        budget = self._posts.pop(channel, None) or Budget(60, 3, self._share)
        self._posts[channel] = budget
        while len(self._posts) > CHANNELS:
            self._posts.popitem(last=False)
        return budget
