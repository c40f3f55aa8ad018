"""The probe aws.acm_certificate against a real endpoint."""

import datetime as dt
import json
import time
from typing import Any

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws.acm import KEY_TYPES, acm_certificate, covers

pytestmark = pytest.mark.anyio

DOMAIN = "api.pixelatedempathy.com"
DAY_S = 86400.0
STRANGE_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"


def summary(number: int, name: str, **more: object) -> dict[str, object]:
    """A certificate as the list shows it, issued and unused unless told otherwise."""
    arn = f"arn:aws:acm:us-east-1:123456789012:certificate/{number}"
    ends = time.time() + 100 * DAY_S
    return {"CertificateArn": arn, "DomainName": name, "Status": "ISSUED", "InUse": False, "NotAfter": ends, **more}


def detail(**more: object) -> dict[str, object]:
    return {"Certificate": {"Status": "ISSUED", "NotAfter": time.time() + 100 * DAY_S, **more}}


class TestByArn:
    async def test_a_healthy_certificate_is_issued_used_and_far_from_its_end(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(acm_certificate, certificate_arn=aws.arns["certificate"])
        assert (reading.certificates, reading.status, reading.issued, reading.in_use) == (1, "issued", True, True)
        assert (reading.renewal, reading.renewal_eligible) == ("none", True)
        assert reading.expires_in == pytest.approx(300 * DAY_S, abs=60)
        assert reading.missing == {}
        assert reading.evidence["domain"] == DOMAIN
        assert reading.evidence["used_by"] == [aws.arns["load_balancer"]]
        assert dt.datetime.fromisoformat(reading.evidence["not_after"]).year >= 2027

    async def test_costs_one_request(self, aws: AwsEndpoint, ask: Any) -> None:
        arn = aws.arns["certificate"]
        before = len(aws.calls())
        await ask(acm_certificate, certificate_arn=arn, domain=DOMAIN)
        assert [call.operation for call in aws.calls()[before:]] == ["DescribeCertificate"]

    async def test_the_region_is_that_of_the_arn(self, aws: AwsEndpoint, ask: Any) -> None:
        environ = {**aws.environ, "AWS_DEFAULT_REGION": "eu-west-1"}
        assert (await ask(acm_certificate, certificate_arn=aws.arns["certificate"], environ=environ)).issued

    async def test_an_unknown_one_is_missing(self, fail: Any) -> None:
        error = await fail(acm_certificate, certificate_arn=STRANGE_ARN)
        assert error.kind is ErrorKind.MISSING
        assert error.message == f"there is no certificate {STRANGE_ARN} in us-east-1"
        assert error.remedy == "check account and region; aws acm list-certificates shows those that exist"
        assert error.__cause__ is not None

    async def test_a_denial_names_the_permission(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "acm", "DescribeCertificate"))
        error = await fail(acm_certificate, certificate_arn=STRANGE_ARN)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == "allow acm:DescribeCertificate in the IAM policy of these credentials"


class TestCondition:
    @pytest.mark.parametrize("days", [29.0, 31.0, -1.5])
    async def test_the_end_is_told_to_the_second_and_lies_below_zero_when_it_is_past(
        self, aws: AwsEndpoint, ask: Any, days: float
    ) -> None:
        aws.set_certificate(expires_in_days=days)
        reading = await ask(acm_certificate, domain=DOMAIN)
        assert reading.expires_in == pytest.approx(days * DAY_S, abs=60)

    @pytest.mark.parametrize("status", ["inactive", "expired", "revoked"])
    async def test_only_an_issued_certificate_may_be_used(self, aws: AwsEndpoint, ask: Any, status: str) -> None:
        aws.set_certificate(status=status, in_use=False)
        reading = await ask(acm_certificate, domain=DOMAIN)
        assert (reading.status, reading.issued, reading.in_use, reading.renewal_eligible) == (
            status,
            False,
            False,
            False,
        )

    @pytest.mark.parametrize("status", ["pending_validation", "validation_timed_out", "failed"])
    async def test_one_that_was_not_issued_has_no_end(self, aws: AwsEndpoint, ask: Any, status: str) -> None:
        aws.set_certificate(status=status, in_use=False)
        reading = await ask(acm_certificate, domain=DOMAIN)
        assert (reading.status, reading.expires_in) == (status, None)
        assert reading.missing == {
            "expires_in": f"a certificate with the status {status} has no end yet: it was not issued"
        }
        assert reading.evidence["waiting_for_validation"] == [DOMAIN]

    @pytest.mark.parametrize("renewal", ["pending_auto_renewal", "pending_validation", "success", "failed"])
    async def test_the_renewal_is_told(self, aws: AwsEndpoint, ask: Any, renewal: str) -> None:
        reason = "CAA_ERROR" if renewal == "failed" else ""
        aws.set_certificate(expires_in_days=12, renewal=renewal, renewal_reason=reason)
        reading = await ask(acm_certificate, domain=DOMAIN)
        assert (reading.renewal, reading.issued) == (renewal, True)
        assert reading.evidence.get("renewal_reason", "") == reason
        assert reading.evidence.get("waiting_for_validation", []) == ([] if renewal == "success" else [DOMAIN])

    async def test_what_is_not_known_here_is_no_reading(self, fail: Any, scripted: Any) -> None:
        server = scripted({"DescribeCertificate": [detail(Status="ON_FIRE")]})
        error = await fail(acm_certificate, certificate_arn=STRANGE_ARN, endpoint_url=server.url)
        assert error.kind is ErrorKind.MALFORMED
        assert error.message == f"ACM tells a status of {STRANGE_ARN} that is not known here: ON_FIRE"

    async def test_hostile_text_is_bounded_and_cannot_act(self, ask: Any, scripted: Any) -> None:
        names = [f"\x1b[2J{'x' * 5000}" for _ in range(500)]
        server = scripted({"DescribeCertificate": [detail(SubjectAlternativeNames=names, InUseBy=names)]})
        reading = await ask(acm_certificate, certificate_arn=STRANGE_ARN, endpoint_url=server.url)
        kept = Border().evidence(reading.evidence)
        assert len(json.dumps(kept)) < 70_000
        assert "\x1b" not in json.dumps(kept, ensure_ascii=False)


class TestByName:
    async def test_is_found_in_the_list_and_described(self, aws: AwsEndpoint, ask: Any) -> None:
        before = len(aws.calls())
        reading = await ask(acm_certificate, domain=DOMAIN)
        assert [call.operation for call in aws.calls()[before:]] == ["ListCertificates", "DescribeCertificate"]
        assert reading.evidence["arn"] == aws.arns["certificate"]

    async def test_a_wildcard_counts(self, aws: AwsEndpoint, ask: Any, client: Any) -> None:
        acm = client("acm")
        arn = acm.request_certificate(DomainName="*.wild.example")["CertificateArn"]
        reading = await ask(acm_certificate, domain="API.wild.example.")
        assert reading.evidence["arn"] == arn
        assert (reading.status, reading.certificates) == ("pending_validation", 1)
        acm.delete_certificate(CertificateArn=arn)

    @pytest.mark.parametrize(
        ("names", "domain", "expected"),
        [
            (["api.example.com"], "api.example.com", True),
            (["API.Example.com"], "api.example.COM.", True),
            (["example.com", "*.example.com"], "api.example.com", True),
            (["*.example.com"], "example.com", False),
            (["*.example.com"], "a.b.example.com", False),
            (["example.com"], "api.example.com", False),
            (["*.com"], "localhost", False),
            (["*.example.com"], "*.example.com", True),
            (["xn--mller-kva.example"], "müller.example", True),
        ],
    )
    def test_a_wildcard_stands_for_one_label(self, names: list[str], domain: str, expected: bool) -> None:
        assert covers(names, domain) is expected

    async def test_keys_of_every_type_are_asked_for(self, ask: Any, scripted: Any) -> None:
        """By default ACM lists those with RSA of 2048 bits and less alone."""
        server = scripted(
            {
                "ListCertificates": [{"CertificateSummaryList": [summary(1, DOMAIN)]}],
                "DescribeCertificate": [detail()],
            }
        )
        await ask(acm_certificate, domain=DOMAIN, endpoint_url=server.url)
        assert server.of("ListCertificates")[0]["Includes"]["keyTypes"] == list(KEY_TYPES)

    async def test_every_page_of_the_list_is_read(self, ask: Any, scripted: Any) -> None:
        pages = [
            {"CertificateSummaryList": [summary(1, "other.example")], "NextToken": "a"},
            {"CertificateSummaryList": [], "NextToken": "b"},
            {"CertificateSummaryList": [summary(2, "x.example", SubjectAlternativeNameSummaries=[DOMAIN])]},
        ]
        server = scripted({"ListCertificates": pages, "DescribeCertificate": [detail()]})
        assert (await ask(acm_certificate, domain=DOMAIN, endpoint_url=server.url)).certificates == 1
        assert [each.get("NextToken") for each in server.of("ListCertificates")] == [None, "a", "b"]
        assert server.of("DescribeCertificate")[0]["CertificateArn"].endswith("/2")

    async def test_of_several_the_one_in_use_that_ends_first_matters(self, ask: Any, scripted: Any) -> None:
        now = time.time()
        listed = [
            summary(1, DOMAIN, NotAfter=now + 5 * DAY_S),
            summary(2, DOMAIN, InUse=True, NotAfter=now + 90 * DAY_S),
            summary(3, DOMAIN, InUse=True, NotAfter=now + 9 * DAY_S),
            summary(4, DOMAIN, Status="EXPIRED", NotAfter=now - 9 * DAY_S),
        ]
        server = scripted({"ListCertificates": [{"CertificateSummaryList": listed}], "DescribeCertificate": [detail()]})
        reading = await ask(acm_certificate, domain=DOMAIN, endpoint_url=server.url)
        assert reading.certificates == 4
        assert server.of("DescribeCertificate")[0]["CertificateArn"].endswith("/3")
        assert [each["arn"][-1] for each in reading.evidence["others"]] == ["2", "1", "4"]

    async def test_of_several_unused_the_issued_one_that_ends_last_matters(self, ask: Any, scripted: Any) -> None:
        now = time.time()
        listed = [
            summary(1, DOMAIN, NotAfter=now + 5 * DAY_S),
            summary(2, DOMAIN, NotAfter=now + 90 * DAY_S),
            summary(3, DOMAIN, Status="PENDING_VALIDATION", NotAfter=now + 900 * DAY_S),
        ]
        server = scripted({"ListCertificates": [{"CertificateSummaryList": listed}], "DescribeCertificate": [detail()]})
        await ask(acm_certificate, domain=DOMAIN, endpoint_url=server.url)
        assert server.of("DescribeCertificate")[0]["CertificateArn"].endswith("/2")

    async def test_that_no_certificate_has_is_missing_and_told_with_those_that_exist(self, fail: Any) -> None:
        error = await fail(acm_certificate, domain="shop.example.com")
        assert error.kind is ErrorKind.MISSING
        assert error.message == "ACM has no certificate for shop.example.com in us-east-1"
        assert error.remedy == (
            "check name and region: certificates belong to one region, those of CloudFront to us-east-1; "
            f"there are {DOMAIN}"
        )

    async def test_that_may_be_among_names_which_the_list_leaves_out_is_to_be_given_by_arn(
        self, fail: Any, scripted: Any
    ) -> None:
        listed = [summary(1, "many.example", HasAdditionalSubjectAlternativeNames=True)]
        server = scripted({"ListCertificates": [{"CertificateSummaryList": listed}]})
        error = await fail(acm_certificate, domain=DOMAIN, endpoint_url=server.url)
        assert error.kind is ErrorKind.MISSING
        assert error.remedy == "give certificate_arn: the list shows only the first names of certificates with many"

    async def test_in_a_list_without_end_is_given_up(self, fail: Any, scripted: Any) -> None:
        pages = [{"CertificateSummaryList": [summary(1, "a")] * 4000, "NextToken": str(each)} for each in range(9)]
        error = await fail(acm_certificate, domain=DOMAIN, endpoint_url=scripted({"ListCertificates": pages}).url)
        assert (error.kind, error.message, error.remedy) == (
            ErrorKind.MALFORMED,
            "ACM lists more than 10000 certificates",
            "give certificate_arn",
        )

    async def test_a_list_that_is_denied_names_the_permission(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "acm", "ListCertificates"))
        error = await fail(acm_certificate, domain=DOMAIN)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == "allow acm:ListCertificates in the IAM policy of these credentials"

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    @pytest.mark.parametrize("operation", ["ListCertificates", "DescribeCertificate"])
    async def test_a_server_that_never_answers_holds_nothing(
        self, aws: AwsEndpoint, fail: Any, kind: Any, operation: str
    ) -> None:
        import boto3

        assert boto3
        aws.disturb(Disturbance(kind, "acm", operation))
        error = await fail(acm_certificate, domain=DOMAIN, within=1.5)
        assert error.kind is ErrorKind.TIMEOUT
        assert " was not answered by 127.0.0.1:" in error.message

    async def test_throttling_is_told_and_not_tried_again(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("throttled", "acm"))
        before = len(aws.calls())
        assert (await fail(acm_certificate, domain=DOMAIN)).kind is ErrorKind.THROTTLED
        assert len(aws.calls()) == before + 1


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "give certificate_arn or domain: one of them says which certificate is meant"),
        (
            {"certificate_arn": "arn:aws:iam::123456789012:server-certificate/web"},
            "'arn:aws:iam::123456789012:server-certificate/web' is not the ARN of a certificate of ACM; these look like "
            "arn:aws:acm:us-east-1:123456789012:certificate/",
        ),
        ({"certificate_arn": "certificate/1"}, "'certificate/1' is not the ARN of a certificate of ACM"),
        ({"domain": "https://api.example.com"}, "'https://api.example.com' is not a domain name; write for example"),
        ({"domain": "a b"}, "is not a domain name"),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_legal(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:
        acm_certificate.params.model_validate(params)
    assert told in str(caught.value)


def test_the_command_is_that_of_the_aws_cli() -> None:
    by_arn = acm_certificate.params(certificate_arn=STRANGE_ARN.replace("us-east-1", "eu-west-1"))
    assert acm_certificate.command(by_arn) == (
        "aws acm describe-certificate --certificate-arn "
        "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000 --region eu-west-1"
    )
    by_name = acm_certificate.params(domain=DOMAIN, profile="on call")
    assert acm_certificate.command(by_name) == (
        "aws acm list-certificates --includes "
        "keyTypes=RSA_1024,RSA_2048,RSA_3072,RSA_4096,EC_prime256v1,EC_secp384r1,EC_secp521r1 --profile 'on call'"
    )


def test_the_key_types_are_all_that_the_service_knows() -> None:
    import botocore.session

    known = botocore.session.get_session().get_service_model("acm").shape_for("KeyAlgorithm").enum
    assert set(KEY_TYPES) == set(known)


def test_metrics_are_declared_with_units_that_a_checker_can_prove_with() -> None:
    expires = acm_certificate.metrics["expires_in"]
    assert (expires.dimension, expires.lower, expires.optional) == (Dimension.DURATION, None, True)
    assert acm_certificate.metrics["renewal"].members == (
        "none",
        "pending_auto_renewal",
        "pending_validation",
        "success",
        "failed",
    )
