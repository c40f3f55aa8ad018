"""Which members of an answer hold secrets, by their names.

What boto3's models mark as sensitive grows with its releases, and is not all: the environment variables of ECS are marked
since a release of 1.42, and those of Batch, CodeBuild, App Runner and SageMaker in none.
"""

import re
from collections.abc import Mapping
from typing import Any

from runbook_engine.masking.names import Sense, holds_secret, names_secret

_VARIABLES = re.compile(r"(env|environment|variables|\w*env(ironment)?var(iable)?s)\Z")
_SCRIPT = "userdata"
"""What EC2 runs at the first start, where passwords are written often."""


def is_secret(name: str, value: object, shape: Any) -> bool:
    """Whether what the member ``name`` holds has to be hidden. ``shape`` is botocore's of the value; None where it has none.

    A structure is not hidden as a whole: its members have names of their own.
    """
    folded = re.sub(r"[^a-z]", "", name.lower())
    if isinstance(value, Mapping | list):
        return bool(_VARIABLES.match(folded)) and getattr(shape, "type_name", "") in ("list", "map")
    if isinstance(value, bytes):
        return folded == _SCRIPT or names_secret(name) is Sense.YES
    return isinstance(value, str) and (folded == _SCRIPT or holds_secret(name, value))
