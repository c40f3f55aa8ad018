"""The format of a runbook as JSON Schema, for editors and other tools."""

from runbook_engine.document.models import Runbook


def runbook_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a runbook as it is written in YAML."""
    schema = Runbook.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
