"""Amazon Web Services: CloudWatch's metrics, and whatever else can be read."""

from runbook_probes.aws.operation import call
from runbook_probes.aws.statistics import cloudwatch

__all__ = ["call", "cloudwatch"]
