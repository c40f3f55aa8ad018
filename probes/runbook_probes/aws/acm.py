"""Which certificate has AWS Certificate Manager for a name, until when, and will it be renewed?"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import AfterValidator, Field, JsonValue, model_validator

from runbook_engine.hostile import one_line
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, Dimension, ErrorKind, ProbeContext, ProbeError, Reading, bounded, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.pages import Pages, ask_pages
from runbook_probes.network import ascii_name

Status = Literal["pending_validation", "issued", "inactive", "expired", "validation_timed_out", "revoked", "failed"]
Renewal = Literal["none", "pending_auto_renewal", "pending_validation", "success", "failed"]
SignedDuration = Annotated[float, bounded(Dimension.DURATION)]
"""Seconds; below zero for what is past."""

MOST_CERTIFICATES = 10_000
MOST_SHOWN = 20
MOST_HINTS = 3
# Without these, only keys of RSA with 1024 and 2048 bits are listed:
# https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html
KEY_TYPES = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
_ARN = re.compile(r"arn:aws[\w-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[\w+=,.@/-]+\Z", re.ASCII)
_DOMAIN = re.compile(r"(\*\.)?[\w-]{1,63}(\.[\w-]{1,63})*\.?\Z")


def _arn(text: str) -> str:
    if text and not _ARN.match(text):
        raise ValueError(
            f"{text!r} is not the ARN of a certificate of ACM; these look like "
            "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
        )
    return text


def _domain(text: str) -> str:
    if text and not _DOMAIN.match(text):
        raise ValueError(f"{text!r} is not a domain name; write for example api.example.com")
    return text


class CertificateParams(AwsParams):
    certificate_arn: Annotated[str, AfterValidator(_arn), Field(max_length=2048)] = Field(
        "", description="The certificate; where it is given, domain is not needed"
    )
    domain: Annotated[str, AfterValidator(_domain), Field(max_length=253)] = Field(
        "", description="A name that the certificate is for; a wildcard that covers it counts"
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not self.certificate_arn and not self.domain:
            raise ValueError("give certificate_arn or domain: one of them says which certificate is meant")
        return self

    def placed(self) -> Self:
        """The same; an ARN tells the region, where no other is given."""
        found = _ARN.match(self.certificate_arn)
        return self if self.region or not found else self.model_copy(update={"region": found["region"]})


class CertificateReading(Reading):
    """One certificate. Of several for a name, the one in use, of these the one that ends first."""

    certificates: Count = Field(description="How many certificates there are for the name; 1 for an ARN")
    status: Status = Field(description="What ACM says of it")
    issued: bool = Field(description="Whether it may be used: the status is issued")
    in_use: bool = Field(description="Whether a load balancer or another service of AWS uses it")
    expires_in: SignedDuration | None = Field(None, description="Time until it ends; below zero when it has ended")
    renewal: Renewal = Field(description="How its renewal by ACM goes; none where none has begun")
    renewal_eligible: bool = Field(description="Whether ACM may renew it by itself: not one that is imported or unused")


def _command(params: CertificateParams) -> str:
    if params.certificate_arn:
        words = ["aws", "acm", "describe-certificate", "--certificate-arn", params.certificate_arn]
        return pasteable(*words, *params.placed().options())
    words = ["aws", "acm", "list-certificates", "--includes", f"keyTypes={','.join(KEY_TYPES)}"]
    return pasteable(*words, *params.options())


@probe("aws.acm_certificate", command=_command, reads_only=True)
async def acm_certificate(params: CertificateParams, ctx: ProbeContext) -> CertificateReading:
    """Describes a certificate (acm:DescribeCertificate), found by its name where no ARN is given (acm:ListCertificates)."""
    params = params.placed()
    found = [] if params.certificate_arn else await _listed(params, ctx)
    arn = params.certificate_arn or found[0].arn
    aim = Aim("acm", "DescribeCertificate")
    try:
        detail = await ask(
            "acm",
            params,
            ctx,
            aim,
            lambda client: client.describe_certificate(CertificateArn=arn)["Certificate"],
            asks=f"the description of certificate {arn}",
        )
    except ProbeError as error:
        raise _unknown(error, arn, aim.region) from error.__cause__
    return _reading(detail, found, arn)


@dataclass(frozen=True, slots=True)
class _Listed:
    arn: str
    names: tuple[str, ...]
    status: str
    in_use: bool
    not_after: dt.datetime | None

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Lowest first. What is in use ends first when it matters most; of what is not, the last to end would be used."""
        end = self.not_after.timestamp() if self.not_after else 0.0
        return not self.in_use, self.status != "ISSUED", end if self.in_use else -end


async def _listed(params: CertificateParams, ctx: ProbeContext) -> Sequence[_Listed]:
    """The certificates for the name, the one that matters first; at least one."""
    pages = Pages(Aim("acm", "ListCertificates"), "certificates")
    every, more_names = await ask_pages(
        params, ctx, pages, lambda client: _every(client, pages), asks="the list of certificates"
    )
    if len(every) > MOST_CERTIFICATES:
        told = f"ACM lists more than {MOST_CERTIFICATES} certificates"
        raise ProbeError(ErrorKind.MALFORMED, told, remedy="give certificate_arn")
    found = sorted((each for each in every if covers(each.names, params.domain)), key=lambda each: each.rank)
    if found:
        return found
    known = sorted({name for each in every for name in each.names[:1]})
    remedy = "check name and region: certificates belong to one region, those of CloudFront to us-east-1"
    if more_names:
        remedy = "give certificate_arn: the list shows only the first names of certificates with many"
    elif known:
        remedy += f"; there are {', '.join(known[:MOST_HINTS])}{' and others' if len(known) > MOST_HINTS else ''}"
    raise ProbeError(
        ErrorKind.MISSING, f"ACM has no certificate for {params.domain} in {pages.aim.region}", remedy=remedy
    )


def _every(client: Client, pages: Pages) -> tuple[list[_Listed], bool]:
    """All certificates, and whether one has names that the list does not show."""
    arguments = {"Includes": {"keyTypes": list(KEY_TYPES)}, "MaxItems": 1000}
    found: list[_Listed] = []
    more_names = False
    for page in pages.of(client.list_certificates, "NextToken", lambda: arguments):
        for each in page["CertificateSummaryList"]:
            names = (each.get("DomainName", ""), *each.get("SubjectAlternativeNameSummaries", ()))
            more_names = more_names or bool(each.get("HasAdditionalSubjectAlternativeNames"))
            found.append(
                _Listed(
                    str(each["CertificateArn"]),
                    tuple(dict.fromkeys(map(_told, names))),
                    str(each.get("Status", "")),
                    bool(each.get("InUse")),
                    each.get("NotAfter"),
                )
            )
        pages.found = len(found)
        if len(found) > MOST_CERTIFICATES:
            break
    return found, more_names


def covers(names: Sequence[str], domain: str) -> bool:
    """Whether a certificate with these names is one for the domain; ``*.example.com`` stands for one more label."""
    wanted = _ascii(domain.lower().rstrip("."))
    parent = wanted.partition(".")[2]
    accepted = {wanted, f"*.{parent}"} if parent else {wanted}
    return any(name.lower().rstrip(".") in accepted for name in names)


def _ascii(domain: str) -> str:
    """As certificates have it: ``müller.example`` is ``xn--mller-kva.example``."""
    try:
        return ascii_name(domain)
    except UnicodeError:
        return domain


def _unknown(error: ProbeError, arn: str, region: str) -> ProbeError:
    if error.kind is ErrorKind.MISSING and region:
        return ProbeError(
            error.kind,
            f"there is no certificate {arn} in {region}",
            remedy="check account and region; aws acm list-certificates shows those that exist",
        )
    return error


def _reading(detail: Mapping[str, Any], found: Sequence[_Listed], arn: str) -> CertificateReading:
    summary: Mapping[str, Any] = detail.get("RenewalSummary") or {}
    status = _one_of(Status, detail.get("Status"), "status", arn)
    renewal = _one_of(Renewal, summary.get("RenewalStatus", "none"), "renewal", arn)
    not_after = detail.get("NotAfter")
    now = dt.datetime.now(dt.UTC)
    lasting = f"a certificate with the status {status} has no end yet: it was not issued"
    return CertificateReading(
        certificates=max(1, len(found)),
        status=cast("Status", status),
        issued=status == "issued",
        in_use=bool(detail.get("InUseBy")),
        expires_in=(not_after - now).total_seconds() if not_after else None,
        renewal=cast("Renewal", renewal),
        renewal_eligible=detail.get("RenewalEligibility") == "ELIGIBLE",
        missing={} if not_after else {"expires_in": lasting},
        evidence={**_evidence(detail, summary), **_others(found, arn)},
    )


def _one_of(literal: object, value: object, what: str, arn: str) -> str:
    given = str(value).lower()
    if given not in get_args(literal):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"ACM tells a {what} of {arn} that is not known here: {one_line(str(value))}",
            remedy="update this program",
        )
    return given


def _evidence(detail: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, JsonValue]:
    names = [_told(each) for each in detail.get("SubjectAlternativeNames", ())]
    validations = [*detail.get("DomainValidationOptions", ()), *summary.get("DomainValidationOptions", ())]
    waiting: list[JsonValue] = [
        _told(each.get("DomainName", "")) for each in validations if each.get("ValidationStatus") != "SUCCESS"
    ]
    told: dict[str, JsonValue] = {
        "arn": _told(detail.get("CertificateArn", "")),
        "domain": _told(detail.get("DomainName", "")),
        "names": [*names[:MOST_SHOWN]],
        "type": _told(detail.get("Type", "")),
        "key": _told(detail.get("KeyAlgorithm", "")),
        "issuer": _told(detail.get("Issuer", "")),
        "not_before": _moment(detail.get("NotBefore")),
        "not_after": _moment(detail.get("NotAfter")),
        "used_by": [_told(each) for each in detail.get("InUseBy", ())[:MOST_SHOWN]],
        "failure": _told(detail.get("FailureReason", "")),
        "renewal_reason": _told(summary.get("RenewalStatusReason", "")),
        "renewal_updated": _moment(summary.get("UpdatedAt")),
        "waiting_for_validation": list(dict.fromkeys(waiting))[:MOST_SHOWN],
    }
    return {name: value for name, value in told.items() if value}


def _others(found: Sequence[_Listed], arn: str) -> dict[str, JsonValue]:
    """The others for the same name, where there are any."""
    rows: list[JsonValue] = [
        {"arn": each.arn, "status": each.status.lower(), "in_use": each.in_use, "not_after": _moment(each.not_after)}
        for each in found
        if each.arn != arn
    ]
    more: dict[str, JsonValue] = {"truncated": True} if len(rows) > MOST_SHOWN else {}
    return {"others": rows[:MOST_SHOWN], **more} if rows else {}


def _told(text: object) -> str:
    return one_line(str(text))


def _moment(at: object) -> str | None:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, dt.datetime) else None
