"""Against which authorities ``tls.certificate`` holds a chain. Importing this module loads OpenSSL."""

from pathlib import Path

from OpenSSL import SSL, crypto

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.tls_handshake import prepared
from runbook_probes.trust import system_authorities, unusable


def trusting(ca_file: str) -> SSL.Context:
    """A client's context that holds certificates against the system's authorities, and beside them those of ``ca_file``.

    Takes some 50 ms, for the system's. Raises ProbeError for a file that cannot be used.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    store = context.get_cert_store()
    if store is None:
        raise ProbeError(ErrorKind.UNAVAILABLE, "this OpenSSL keeps no authorities")
    # As curl does, and Python since 3.13: whoever names an intermediate authority to trust means it.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.load_locations(*system_authorities())
    if ca_file:
        _load(store, Path(ca_file))
    return prepared(context)


def _load(store: crypto.X509Store, file: Path) -> None:
    path = file.expanduser()
    try:
        with path.open("rb"):
            pass
        store.load_locations(str(path))
    except (OSError, crypto.Error) as error:
        raise unusable(str(file), error) from error
