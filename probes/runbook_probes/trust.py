"""Which authorities are trusted: those of the system, and beside them those of a file that is given."""

import ssl
from pathlib import Path

from runbook_engine.probe import ErrorKind, ProbeError

CA_FILE = "PEM file of authorities to trust beside the system's"
"""What every probe says of its parameter ``ca_file``."""


def system_authorities() -> tuple[str | None, str | None]:
    """The file and the folder that hold the system's authorities, or certifi's file where the system has neither.

    Asked of the ssl module: an OpenSSL that comes in a wheel looks where the machine that built it had them.
    """
    places = ssl.get_default_verify_paths()
    return (places.cafile, places.capath) if _system_has_some() else (_certifi(), None)


def client_context(ca_file: str) -> ssl.SSLContext:
    """A client's context that trusts the system's authorities and those of ``ca_file``; an empty text adds none.

    Takes some 50 ms, for the system's. Raises ProbeError for a file that cannot be used.
    """
    context = ssl.create_default_context()
    # Python 3.13 turns this on; browsers, curl and older Pythons accept the certificates of private authorities it refuses.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # As curl does, and Python since 3.13: whoever names an intermediate authority to trust means it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not _system_has_some():
        context.load_verify_locations(_certifi())
    if ca_file:
        try:
            context.load_verify_locations(Path(ca_file).expanduser())
        except OSError as error:  # ssl.SSLError too
            raise unusable(ca_file, error) from error
    return context


def _system_has_some() -> bool:
    places = ssl.get_default_verify_paths()
    return places.cafile is not None or places.capath is not None


def _certifi() -> str:
    import certifi

    return certifi.where()


def unusable(ca_file: str, error: Exception) -> ProbeError:
    """Why the file cannot be used: that it cannot be read, or that it holds no certificates."""
    reason = "it holds no certificates in PEM"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        reason = error.strerror or type(error).__name__
    return ProbeError(
        ErrorKind.OTHER,
        f"the ca_file {ca_file} cannot be used: {reason}",
        remedy="give the path of a PEM file with the certificates of the authorities to trust",
    )
