"""The probes that come with runbook-engine."""
