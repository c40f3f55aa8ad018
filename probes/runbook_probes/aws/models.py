"""What botocore knows of the services of AWS: read once a process, for reading it takes longer than most answers do."""

import os
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4)
def models(data_path: str | None) -> Any:
    """A loader of botocore for any number of sessions, also side by side: it only reads, and keeps what it has read.

    ``data_path`` is that of the session's configuration: folders with models of one's own.
    """
    from botocore.loaders import Loader

    class Models(Loader):  # type: ignore[misc]  # botocore has no types
        @property
        def search_paths(self) -> list[str]:
            """A copy: every session of boto3 adds a folder of its own, and a shared list would become ever longer."""
            return list(self._search_paths)

    folders = [os.path.expanduser(os.path.expandvars(each)) for each in (data_path or "").split(os.pathsep) if each]  # noqa: PTH111 - as botocore does
    return Models(extra_search_paths=folders)
