"""Which of the connections that a platform should have are up."""

from __future__ import annotations


class Presence:
    """Keeps count of one adapter's connections; one that was never named is not missed."""

    def __init__(self) -> None:
        """Nothing is asked of it yet."""
        self._up: dict[str, bool] = {}

    def up(self, name: str) -> None:
        """Note that a connection stands."""
        self._up[name] = True

    def down(self, name: str) -> None:
        """Note that a connection is wanted and does not stand, or not any more."""
        self._up[name] = False

    def forget(self, name: str) -> None:
        """Note that a connection is not wanted here any more."""
        self._up.pop(name, None)

    def whole(self) -> bool:
        """Whether every connection that is wanted stands."""
        return all(self._up.values())

    def some(self) -> bool:
        """Whether any connection stands; of those that wait for a shard to become free none does."""
        return any(self._up.values())
