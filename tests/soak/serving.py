"""``python -m tests.soak.serving FOLDER NAME…``: the servers of these names, until standard input is closed.

Says on standard output, in one line of JSON, where they listen.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from tests.soak.http_servers import NEIGHBOUR
from tests.soak.misbehaviours import TABLE
from tests.soak.place import Place
from tests.soak.walking import Served


async def serve(folder: Path, names: Sequence[str]) -> None:
    begins = {**NEIGHBOUR, **{each.name: each.begin for each in TABLE}}
    async with AsyncExitStack() as stack:
        place = Place(stack, folder)
        served = Served({name: await begins[name](place) for name in names}, str(place.ca_file), os.getpid())
        sys.stdout.buffer.write(msgspec.json.encode(served) + b"\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2:]))
