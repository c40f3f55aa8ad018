"""The lab's certificate in AWS Certificate Manager: issued, in use and far from its end, until it is told otherwise.

moto leaves a certificate pending for a minute, knows no renewal, and no certificate that has less than its whole year left.
https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

USUAL_DAYS = 300.0
LASTS_DAYS = 395.0
DAY_S = 86400.0
LISTED_NAMES = 100


@dataclass(frozen=True, slots=True)
class Condition:
    """``status`` and ``renewal`` as the API writes them; no renewal has begun where it is empty."""

    status: str = "ISSUED"
    expires_in_days: float = USUAL_DAYS
    renewal: str = ""
    renewal_reason: str = ""
    in_use: bool = True


class CertificateState:
    """The one certificate of the lab. ``begin`` has moto answer for it."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._arn = ""
        self._user = ""

    @property
    def orders(self) -> Mapping[str, Callable[..., object]]:
        return {self.set_certificate.__name__: self.set_certificate}

    def begin(self, arn: str, load_balancer: str) -> None:
        """``load_balancer`` is the ARN of what uses the certificate."""
        from moto.acm.models import CertBundle

        self._arn, self._user = arn, load_balancer
        usual = CertBundle.describe

        def describe(bundle: CertBundle) -> dict[str, Any]:
            answer = usual(bundle)
            return answer if bundle.arn != self._arn else {"Certificate": self._described(answer["Certificate"])}

        setattr(CertBundle, describe.__name__, describe)

    def recover(self) -> None:
        self._condition = Condition()

    def set_certificate(
        self, status: str, expires_in_days: float, renewal: str, renewal_reason: str, *, in_use: bool
    ) -> None:
        self._condition = Condition(status.upper(), expires_in_days, renewal.upper(), renewal_reason, in_use)

    def _described(self, usual: Mapping[str, Any]) -> dict[str, Any]:
        """For the list too, which takes from it what it shows."""
        told, now = self._condition, time.time()
        ends = now + told.expires_in_days * DAY_S
        validations = [
            {**each, "ValidationStatus": "SUCCESS" if told.status in ("ISSUED", "EXPIRED") else told.status}
            for each in usual.get("DomainValidationOptions", ())
        ]
        described = {
            **usual,
            "Status": told.status,
            "NotBefore": ends - LASTS_DAYS * DAY_S,
            "NotAfter": ends,
            "InUseBy": [self._user] if told.in_use else [],
            "RenewalEligibility": "ELIGIBLE" if told.in_use and told.status == "ISSUED" else "INELIGIBLE",
            "DomainValidationOptions": validations,
            "SubjectAlternativeNameSummaries": usual["SubjectAlternativeNames"][:LISTED_NAMES],
        }
        if told.status in ("PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED"):
            for never in ("NotBefore", "NotAfter", "IssuedAt"):
                described.pop(never, None)
        if told.renewal not in ("", "NONE"):
            described["RenewalSummary"] = {
                "RenewalStatus": told.renewal,
                "DomainValidationOptions": [
                    {**each, "ValidationStatus": _VALIDATED.get(told.renewal, told.renewal)} for each in validations
                ],
                "UpdatedAt": now - DAY_S,
                **({"RenewalStatusReason": told.renewal_reason} if told.renewal_reason else {}),
            }
        return described


_VALIDATED = {"PENDING_AUTO_RENEWAL": "PENDING_VALIDATION"}
