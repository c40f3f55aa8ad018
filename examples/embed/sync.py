"""Diagnose from a program, and hand the report on.

python examples/embed/sync.py https://www.example.com www.example.com
"""

import sys
from pathlib import Path

import runbook_engine as rb

RUNBOOK = Path(__file__).parent.parent / "own_runbook" / "website-down.yaml"


def diagnose(url: str, host: str, port: int) -> rb.Trace:
    return rb.run(RUNBOOK, inputs={"url": url, "host": host, "port": port}, deadline=60.0)


def main() -> None:
    url, host = sys.argv[1], sys.argv[2]
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 443
    try:
        trace = diagnose(url, host, port)
    except rb.InputsError as error:
        sys.exit(str(error))
    for finding in trace.causes:
        print(f"{finding.level}: {finding.title} ({finding.cause})")
    for spot in trace.blind_spots:
        print(f"not seen: {spot.step}: {spot.message}")
    print(rb.render(trace, rb.ReportFormat.MARKDOWN))


if __name__ == "__main__":
    main()
