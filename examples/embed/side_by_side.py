"""Diagnose several systems side by side inside an event loop, watching as it happens.

python examples/embed/side_by_side.py https://www.example.com https://www.example.org
"""

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit

import runbook_engine as rb

RUNBOOK = Path(__file__).parent.parent / "own_runbook" / "website-down.yaml"


async def diagnose(plan: rb.Plan, url: str) -> rb.Trace:
    parts = urlsplit(url)

    def observe(event: rb.Event) -> None:
        if isinstance(event, rb.FindingRaised):
            print(f"{parts.hostname}: {event.title}")

    inputs = {"url": url, "host": parts.hostname or "", "port": parts.port or 443}
    return await rb.arun(plan, inputs=inputs, observe=observe, deadline=60.0)


async def main(urls: list[str]) -> None:
    plan = rb.load(RUNBOOK)
    for trace in await asyncio.gather(*(diagnose(plan, url) for url in urls)):
        print(trace.inputs["url"].shown, trace.outcome)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
