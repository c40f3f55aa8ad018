"""Which authorities are trusted here. Importing this module loads OpenSSL."""

import ssl
from pathlib import Path

from OpenSSL import SSL, crypto

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.tls_handshake import prepared


def trusting(ca_file: str) -> SSL.Context:
    """A client's context that holds certificates against ``ca_file``, else against the system's authorities.

    Takes some 50 ms, for the system's. Raises ProbeError for a file that cannot be used.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    store = context.get_cert_store()
    if store is None:
        raise ProbeError(ErrorKind.UNAVAILABLE, "this OpenSSL keeps no authorities")
    # As curl does, and Python since 3.13: whoever names an intermediate authority to trust means it.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    places = ssl.get_default_verify_paths()
    if ca_file:
        _load(store, Path(ca_file))
    elif places.cafile is None and places.capath is None:
        import certifi

        store.load_locations(certifi.where())
    else:
        # Those of the ssl module: OpenSSL in a wheel looks where the machine that built it had them.
        store.load_locations(places.cafile, places.capath)
    return prepared(context)


def _load(store: crypto.X509Store, file: Path) -> None:
    path = file.expanduser()
    try:
        with path.open("rb"):
            pass
        store.load_locations(str(path))
    except (OSError, crypto.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no certificates in PEM"
        raise ProbeError(
            ErrorKind.OTHER,
            f"the ca_file {file} cannot be used: {reason}",
            remedy="give the path of a PEM file with the certificates of the authorities to trust",
        ) from error
