"""What the lab tells its API, as one line of JSON on standard input: passwords never show in a process list."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

Account = Literal["components", "none", "deps"]


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API finds its servers, and how it behaves.

    ``cache_ttl_ms`` is the life of what it puts into the cache, None for no expiry. ``board_sessions`` is how many sessions
    one page of the board shows. ``hash_rounds`` is computing and ``upstream_wait_s`` waiting that every request costs in the
    API itself, outside database and cache. Of 1,000 requests in a row, ``failing_permille`` fail: see ``failures``.
    ``account`` is its own account of its components: in the guide's shape, none at all, or in another shape.
    """

    database_url: str
    redis_url: str
    certificate_file: str
    cache_ttl_ms: int | None = None
    board_sessions: int = 20
    hash_rounds: int = 0
    upstream_wait_s: float = 0.0
    failing_permille: int = 0
    failing_early: bool = False
    account: Account = "components"

    def to_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "ApiSettings":
        return cls(**json.loads(line))
