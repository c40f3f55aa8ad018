"""Certificates: what the load balancer's front shows to clients, and what ACM says of the one it manages."""

from functools import partial
from typing import TYPE_CHECKING

from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint

_fault = partial(Fault, family="certificates", runbook="tls-certificate")


def _failed_renewal(aws: "AwsEndpoint") -> None:
    aws.set_certificate(expires_in_days=45.0, renewal="failed", renewal_reason="DOMAIN_VALIDATION_DENIED")


def _expiring_in_acm(aws: "AwsEndpoint") -> None:
    aws.set_certificate(expires_in_days=20.0)


CERTIFICATES: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "certificate_29_days",
            "The certificate expires in 29 days",
            "The front of the load balancer shows a certificate that is valid for 29 more days. That is just below "
            "the 30 days from which on it is a warning. HTTPS works, and ACM has a fresh certificate that nobody "
            "installed. The diagnosis should say that the certificate is expiring.",
            ("certificate_expiring",),
            neighbour="certificate_31_days",
        ),
        Plan(front=True, tls="expiring", certificate_days=29.0),
    ),
    (
        _fault(
            "certificate_31_days",
            "The certificate expires in 31 days",
            "The front of the load balancer shows a certificate that is valid for 31 more days. That is just above "
            "the 30 days from which on it is a warning. HTTPS works. The diagnosis should find nothing.",
            neighbour="certificate_29_days",
        ),
        Plan(front=True, tls="expiring", certificate_days=31.0),
    ),
    (
        _fault(
            "certificate_expired",
            "The certificate expired three days ago",
            "The front of the load balancer shows a certificate that has not been valid for three days. Every client "
            "that checks it refuses to connect. The diagnosis should say that the certificate has expired, and that "
            "it is the reason why HTTPS does not work.",
            ("certificate_expired",),
        ),
        Plan(front=True, tls="expired", certificate_days=-3.0),
    ),
    (
        _fault(
            "certificate_wrong_name",
            "The certificate is for another name",
            "The front of the load balancer shows a certificate of www.example.com: trusted, valid, and not for the "
            "name that clients ask for. They refuse to connect. The diagnosis should say that the name is wrong.",
            ("certificate_wrong_name",),
        ),
        Plan(front=True, tls="wrong_name"),
    ),
    (
        _fault(
            "chain_incomplete",
            "The server leaves out the intermediate certificate",
            "The front of the load balancer shows its own certificate alone, without the one of the intermediate "
            "authority that issued it. Browsers that have seen it elsewhere connect; curl, mobile apps and other "
            "services do not. The diagnosis should say that the chain is incomplete.",
            ("chain_incomplete",),
        ),
        Plan(front=True, tls="incomplete_chain"),
    ),
    (
        _fault(
            "intermediate_expiring",
            "The intermediate certificate expires in 9 days",
            "The front of the load balancer shows a certificate that is valid for months, and sends along the one of the "
            "intermediate authority that issued it, which is valid for 9 more days. HTTPS works until then, and for no "
            "client afterwards. The diagnosis should say that a certificate of the chain is expiring, and which.",
            ("chain_expiring",),
        ),
        Plan(front=True, tls="expiring_chain"),
    ),
    (
        _fault(
            "intermediate_expired",
            "The intermediate certificate expired three days ago",
            "The front of the load balancer shows a certificate that is valid for months, and sends along the one of the "
            "intermediate authority that issued it, which has not been valid for three days. No client connects. The "
            "diagnosis should say that a certificate of the chain has expired, and which.",
            ("chain_expired",),
        ),
        Plan(front=True, tls="expired_chain"),
    ),
    (
        _fault(
            "certificate_self_signed",
            "The certificate vouches for itself",
            "The front of the load balancer shows a certificate that it signed itself, as an image does whose real "
            "certificate was never installed. No client trusts it. The diagnosis should say that the certificate is "
            "self-signed.",
            ("certificate_self_signed",),
        ),
        Plan(front=True, tls="self_signed"),
    ),
    (
        _fault(
            "old_tls",
            "The server also speaks TLS 1.0 and 1.1",
            "The front of the load balancer still accepts TLS 1.0 and 1.1, which have been deprecated since RFC "
            "8996. The certificate is in order and every client connects. The diagnosis should name the old "
            "protocols.",
            ("old_protocol",),
        ),
        Plan(front=True, tls="old_protocol"),
    ),
    (
        _fault(
            "acm_renewal_failed",
            "ACM could not renew the certificate",
            "ACM tried to renew its certificate, which has 45 days left, and failed: the domain could not be "
            "validated any more. What clients see is in order for now. The diagnosis should say that the renewal "
            "failed, weeks before anybody sees a warning.",
            ("acm_renewal_failed",),
        ),
        Plan(front=True, aws=_failed_renewal),
    ),
    (
        _fault(
            "acm_expiring",
            "The certificate in ACM expires in 20 days",
            "The certificate in ACM has 20 days left and no renewal has begun, as it is with one that was imported. "
            "What clients see is in order for now. The diagnosis should say that the certificate in ACM is expiring.",
            ("acm_expiring",),
        ),
        Plan(front=True, aws=_expiring_in_acm),
    ),
)
"""Every fault of the family, with its plan."""
