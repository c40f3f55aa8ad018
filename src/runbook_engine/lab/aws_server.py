"""The AWS endpoint itself: moto behind the shim, in a process of its own.

It takes one order a line on its standard input, answers each with one line, and ends with that input. moto keeps the state
of all accounts in its modules, so a process of its own is also what keeps two endpoints apart.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, NoReturn, TextIO

from runbook_engine.lab.aws_acm import CertificateState
from runbook_engine.lab.aws_logs import LogsState
from runbook_engine.lab.aws_metrics import correct_moto, put_metric
from runbook_engine.lab.aws_shim import Disturbance, Shim
from runbook_engine.lab.aws_state import SystemState
from runbook_engine.lab.aws_system import seed

HOST = "127.0.0.1"


def main() -> NoReturn:
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_args: object) -> None:
            """Nobody reads a line for each request."""

    correct_moto()
    state = SystemState()
    shim = Shim(state.health.before(DomainDispatcherApplication(create_backend_app)))
    server = make_server(HOST, 0, shim, threaded=True, request_handler=Quiet)
    url = f"http://{HOST}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": url}), file=replies, flush=True)
    obey(_orders(shim, state, url), replies)
    # Nothing needs an orderly end, and the threads that seed would be waited for.
    os._exit(0)


def obey(orders: Mapping[str, Callable[..., object]], replies: TextIO) -> None:
    """Carry out what comes in, line by line, until nobody is there any more to order anything."""
    for line in sys.stdin:
        name, given = json.loads(line)
        try:
            reply: dict[str, object] = {"result": orders[name](**given)}
        except Exception as error:  # noqa: BLE001 - told to whoever gave the order
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def _orders(shim: Shim, state: SystemState, url: str) -> Mapping[str, Callable[..., object]]:
    seeded: Future[dict[str, str]] = Future()
    logs, certificate = LogsState(), CertificateState()

    def start_seeding(**system: Any) -> None:
        shim.close_gate()

        def work() -> None:
            try:
                arns = seed(url, **system)
                logs.begin(system["region"], system["service"])
                certificate.begin(arns["certificate"], arns["load_balancer"])
                state.begin(**{name: value for name, value in system.items() if name != "domain"})
                seeded.set_result(arns)
            except BaseException as error:  # noqa: BLE001 - told to whoever asks for the result
                seeded.set_exception(error)
            finally:
                shim.open_gate()

        threading.Thread(target=work, daemon=True).start()

    def recover() -> None:
        shim.recover()
        state.recover()
        logs.recover()
        certificate.recover()

    def once_seeded(order: Callable[..., object]) -> Callable[..., object]:
        def obeyed(**given: Any) -> object:
            seeded.result()
            return order(**given)

        return obeyed

    return {
        **{name: once_seeded(order) for name, order in {**state.orders, **logs.orders, **certificate.orders}.items()},
        "seed": start_seeding,
        "arns": seeded.result,
        "put_metric": put_metric,
        "disturb": lambda **given: shim.disturb(Disturbance(**given)),
        "recover": recover,
        "set_target_health": shim.set_target_health,
        "calls": lambda: [asdict(each) for each in shim.calls],
    }


if __name__ == "__main__":
    main()
