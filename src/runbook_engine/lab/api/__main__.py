"""``python -m runbook_engine.lab.api``: reads its settings from standard input, says its port on standard output.

It serves until standard input ends, which is when the lab that started it is gone, however it went.
"""

import json
import os
import sys
import threading

from runbook_engine.lab.api.failures import Failures
from runbook_engine.lab.api.server import ApiServer
from runbook_engine.lab.api.service import Service
from runbook_engine.lab.api.settings import ApiSettings


def main() -> None:
    line = sys.stdin.readline()
    if not line:
        return
    settings = ApiSettings.from_line(line)
    failures = Failures(settings.failing_permille, early=settings.failing_early)
    server = ApiServer(Service(settings), settings.certificate_file, failures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    # Requests may hang in the database for seconds; nobody waits for their answers any more.
    os._exit(0)


if __name__ == "__main__":
    main()
