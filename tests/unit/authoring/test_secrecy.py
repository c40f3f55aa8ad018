"""Passwords and tokens that somebody pasted into a procedure stand in no runbook that is made of it."""

import pytest
import yaml

import runbook_engine as rb
from runbook_engine.authoring.customs import Customs
from runbook_engine.authoring.markdown import procedures
from runbook_engine.authoring.procedure import from_procedure

PROCEDURE = """
# Slow orders of ghp_abcdefghijklmnopqrstuvwxyz0123456789
The token is `token=s3cr3tV4lue99`, see https://ops:hunter2@wiki.example.com/
## Symptoms
- Orders are slow; password=hunter2
## Diagnostic Steps
1. Ask the API with password=hunter2
```bash
# with api_key=8f7d6s5a4f3d2s1a
COMMAND
```
## Resolution
- Log in with sshpass -p hunter2 and restart
"""
PLANTED = (
    "hunter2", "s3cr3tv4lue99", "ghp_abc", "ghp-abc", "8f7d6s5a4f3d2s1a", "tok12345678", "abcdef0123456789", "b0000000",
)  # fmt: skip


def made(command: str) -> str:
    (procedure,) = procedures(PROCEDURE.replace("COMMAND", command))
    registry = rb.Registry()
    return from_procedure(procedure, "slow-orders", registry, Customs(rb.Library(()))).started.text


@pytest.mark.parametrize(
    "command",
    [
        'curl "https://api.example.com/orders?api_key=8f7d6s5a4f3d2s1a"',
        'curl -H "Authorization: Bearer abcdef0123456789abcdef" https://api.example.com/orders',
        "psql 'postgresql://shop:hunter2@db.example.com/shop' -c \"select 1 from orders where token = 'tok12345678'\"",
        "redis-cli -a hunter2 info",
        "PGPASSWORD=hunter2 psql -h db.example.com -c 'select 1'",
        'curl "https://b.s3.amazonaws.com/x?X-Amz-Signature=abcdef0123456789&X-Amz-Credential=b0000000"',
        'mysql -u root -phunter2 -e "select 1"',
        "export SLACK=https://hooks.slack.com/services/T00000000/B00000000/abcdef0123456789abcdefab",
        "aws logs filter-log-events --log-group-name /ecs/api --filter-pattern 'password=hunter2'",
    ],
)
def test_a_secret_of_a_procedure_is_not_copied(command: str) -> None:
    text = made(command)
    assert [each for each in PLANTED if each in text.lower()] == []
    assert "***" in text


def test_an_address_with_a_secret_in_it_becomes_a_secret_input() -> None:
    document = yaml.safe_load(made('curl "https://api.example.com/orders?api_key=8f7d6s5a4f3d2s1a"'))
    (step,) = (each for each in document["steps"].values() if each.get("probe") == "http.get")
    name = step["with"]["url"].removeprefix("{{ inputs.").removesuffix(" }}")
    assert document["inputs"][name]["type"] == "secret"
    assert document["inputs"][name]["help"].endswith("the procedure names https://api.example.com/orders?api_key=***")


def test_an_address_without_a_secret_stays_a_plain_input() -> None:
    document = yaml.safe_load(made("curl https://api.example.com/orders?page=2"))
    assert [each["type"] for each in document["inputs"].values()] == ["url"]
