"""A certificate authority for one lab."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """``ca_file`` is what clients trust, ``server_file`` is certificate and key of 127.0.0.1 and localhost."""

    ca_file: Path
    server_file: Path

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))


def make_certificates(directory: Path) -> Certificates:
    import trustme

    authority = trustme.CA(organization_name="runbook-engine lab")
    made = Certificates(directory / "ca.pem", directory / "api.pem")
    authority.cert_pem.write_to_path(str(made.ca_file))
    made.server_file.touch(mode=0o600)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(made.server_file))
    return made
