"""
The error tree. Callers catch the bases; the leaves say what happened.

    FrontdeskError
    ├── SettingError            a setting is wrong; the text names it and the cure
    ├── StoreError              the database
    │   ├── StoreDown           it cannot be reached or is shutting down
    │   ├── SchemaBehind        `bot migrate` has to run first
    │   ├── SchemaAhead         a newer program made the tables
    │   ├── BackupRefused       a backup cannot be made or restored here
    │   └── ServerFailed        the embedded Postgres does not start
    ├── TurnError               an answer may not go on
    │   ├── HeldElsewhere       another worker has the conversation; for `seconds` still
    │   ├── LeaseLost           another worker has, or may have, taken the conversation
    │   └── Superseded          something newer is wanted: begin again
    ├── PlatformError           Slack, Discord
    │   ├── TokenRefused        the token is wrong, revoked or for something else
    │   ├── PermissionMissing   a scope, an intent or a permission is missing
    │   ├── PostRefused         this post cannot be made here, and no retry cures it
    │   └── PlatformDown        no answer, 5xx, or over the rate limit for too long
    ├── BackendError            a model
    │   ├── ContextTooLong      the server counted more tokens than we did
    │   ├── RateLimited         too many requests; `retry_after` seconds
    │   ├── QuotaSpent          no credit left
    │   ├── AnswerRefused       the provider's filter refused the question or the answer
    │   ├── KeyRefused          wrong key, or no right to this model
    │   ├── ModelMissing        the server does not have this model
    │   ├── BackendDown         no connection, or 5xx
    │   ├── BackendSilent       no token within the time-out
    │   └── StreamCut           the stream ended before the answer did
    └── BudgetSpent             the workspace's tokens for today are used up
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class FrontdeskError(Exception):
    """Whatever this program refuses or fails at, told in words for people."""


class SettingError(FrontdeskError):
    """A setting is wrong; the text is one line that names it and the cure."""


class StoreError(FrontdeskError):
    """The database cannot do what was asked."""


class StoreDown(StoreError):
    """The database cannot be reached."""


class SchemaBehind(StoreError):
    """The tables are older than the program."""


class SchemaAhead(StoreError):
    """The tables are newer than the program."""


class BackupRefused(StoreError):
    """A backup cannot be made or restored so; the text is one line that says why."""


class ServerFailed(StoreError):
    """The embedded Postgres does not start."""


class TurnError(FrontdeskError):
    """This answer may not go on."""


class HeldElsewhere(TurnError):
    """Another worker has the conversation."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is how long at the least it has it still."""
        super().__init__(f"held elsewhere for {seconds:.1f} s")
        self.seconds = seconds


class LeaseLost(TurnError):
    """Another worker has, or may have, taken the conversation."""


class Superseded(TurnError):
    """Something newer is wanted of this turn: begin again."""


class PlatformError(FrontdeskError):
    """
    A platform refuses or fails.

    `reason` is the catalogue's key for the cause and the cure as the asking person is told them, "" where the
    text has to do; `values` are put into it.
    """

    reason = ""
    values: Mapping[str, str] = MappingProxyType({})


class TokenRefused(PlatformError):
    """The platform does not know the token."""


class PermissionMissing(PlatformError):
    """A scope, an intent or a permission is missing."""


class PostRefused(PlatformError):
    """The platform will never take this post here."""


class PlatformDown(PlatformError):
    """The platform does not answer."""


class BackendError(FrontdeskError):
    """
    A model's server refuses or fails.

    `reason` is the catalogue's key for what the asking person is told;
    `passing` says whether another try may succeed.
    """

    reason = "model-down"
    passing = True


class ContextTooLong(BackendError):
    """The server counted more tokens than it can read."""

    reason = "model-too-long"
    passing = False


class RateLimited(BackendError):
    """Too many requests."""

    reason = "model-busy"

    def __init__(self, text: str = "", retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, None where the server did not say."""
        super().__init__(text)
        self.retry_after = retry_after


class QuotaSpent(BackendError):
    """The account behind the key has no credit left."""

    reason = "model-quota"
    passing = False


class AnswerRefused(BackendError):
    """The provider's filter refused; asking again would not help."""

    reason = "model-refused"
    passing = False


class KeyRefused(BackendError):
    """The key is wrong or has no right to this model."""

    reason = "model-key"
    passing = False


class ModelMissing(BackendError):
    """The server does not have this model."""

    reason = "model-missing"
    passing = False


class BackendDown(BackendError):
    """No connection, or the server failed."""


class BackendSilent(BackendError):
    """No token came within the time-out."""

    reason = "model-silent"


class StreamCut(BackendError):
    """The stream ended before the answer did."""

    reason = "model-cut"


class BudgetSpent(FrontdeskError):
    """The workspace has used its tokens for today."""
