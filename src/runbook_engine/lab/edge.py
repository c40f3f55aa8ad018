"""What is around the API: the front of its load balancer, its name servers, and the service that it depends on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from runbook_engine.lab.dependency import Dependency
from runbook_engine.lab.dns_servers import DnsServer
from runbook_engine.lab.plans import NAME, UNKNOWN_NAME, Plan
from runbook_engine.lab.process import HOST, Port
from runbook_engine.lab.tls_servers import TlsServer


class Edge:
    """Everything of it in threads of this process. ``ca_file`` is of the authority of the API's own certificate."""

    def __init__(self, plan: Plan, ca_file: Path) -> None:
        self._plan = plan
        self._front = TlsServer(plan.tls, days=plan.certificate_days, name=NAME, trusted_too=ca_file)
        self._names = [DnsServer(records) for records in plan.names]
        self._dependency = Dependency(plan.dependency)
        self._left: Port | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self._front)
            opening.enter_context(self._dependency)
            for server in self._names:
                opening.enter_context(server)
            if self._plan.reached == "at_old_address":
                self._left = Port()
                opening.callback(self._left.release)
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def api_url(self, port: int) -> str:
        """Where responders look for the API that serves on this port."""
        if self._plan.front:
            return self._front.url
        host = UNKNOWN_NAME if self._plan.reached == "by_unknown_name" else HOST
        return f"https://{host}:{self._left.number if self._left else port}"

    @property
    def inputs(self) -> MappingProxyType[str, str]:
        return MappingProxyType(
            {
                "ca_file": self._front.ca_file,
                "tls_host": HOST,
                "tls_port": str(self._front.port),
                "tls_name": self._front.name,
                "api_host": UNKNOWN_NAME if self._plan.reached == "by_unknown_name" else NAME,
                "dns_resolvers": ",".join(each.address for each in self._names),
                "external_api_url": self._dependency.url,
            }
        )


@contextmanager
def kept_free(port: int) -> Iterator[None]:
    """The port of a server that has ended, so that nobody else listens there meanwhile."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((HOST, port))
        yield
