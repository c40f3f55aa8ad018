"""Can a TCP port be connected to, and how fast?"""

from typing import Annotated

import anyio
from anyio.abc import SocketAttribute
from pydantic import AfterValidator, ConfigDict, Field

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Duration, ErrorKind, Params, ProbeContext, ProbeError, Reading, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.network import AS_ASCII, ascii_name, is_address, lookup, not_connected, where, within
from runbook_probes.network import connect as open_connection

MOST_NAME, MOST_LABEL = 253, 63


def host_name(text: str) -> str:
    """The host as it is looked up, in ASCII. Raises ValueError unless it is a host name or an IP address alone."""
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_address(host):
        return host
    if "/" in host or ":" in host or "@" in host:
        raise ValueError("this is not a host; write a name or an address alone, for example db.example.com")
    try:
        host = ascii_name(host)
    except UnicodeError:
        raise ValueError(f"{text!r} has letters that no host name has; {AS_ASCII}") from None
    labels = host.removesuffix(".").split(".")
    whole = len(host) <= MOST_NAME and all(0 < len(label) <= MOST_LABEL for label in labels)
    if not whole or host.startswith("-") or any(letter.isspace() for letter in host):
        raise ValueError(f"{text!r} is not a host name; write for example db.example.com")
    return host


class ConnectParams(Params):
    CONNECTS_TO = ("host",)

    model_config = ConfigDict(hide_input_in_errors=True)

    host: Annotated[str, AfterValidator(host_name)] = Field(description="A host name or an IP address")
    port: int = Field(ge=1, le=65535)


class ConnectReading(Reading):
    connect: Duration = Field(description="Time until the connection was there, without the look-up of the name")
    dns: Duration | None = Field(None, description="Time to look up the name; missing where an address was given")


def _command(params: ConnectParams) -> str:
    return pasteable("nc", "-vz", "-w", "5", params.host, str(params.port))


@probe("tcp.connect", command=_command, reads_only=True)
async def connect(params: ConnectParams, ctx: ProbeContext) -> ConnectReading:
    """Opens a TCP connection and closes it again, without sending anything."""
    target = where(params.host, params.port)
    missed = f"the name {params.host} could not be looked up"

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{missed} within {show(seconds, Dimension.DURATION)}")

    with within(ctx, gave_up):
        started = anyio.current_time()
        try:
            addresses = await lookup(params.host)
            looked_up = anyio.current_time()
            missed = f"{target} did not answer the attempt to connect"
            stream = await open_connection(addresses, params.port)
        except OSError as error:
            raise not_connected(error, params.host, params.port) from error
        connected = anyio.current_time()
        address = str(stream.extra(SocketAttribute.remote_address)[0])  # noqa: S610 - not Django's
        await anyio.aclose_forcefully(stream)
    literal = is_address(params.host)
    return ConnectReading(
        connect=connected - looked_up,
        dns=None if literal else looked_up - started,
        missing={"dns": f"{params.host} is an address, nothing was looked up"} if literal else {},
        evidence={"address": where(address, params.port), "addresses": list(addresses)},
    )
