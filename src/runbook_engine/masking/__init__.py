"""What must not be seen, hidden in texts: secrets that are known, whatever their form, and what gives itself away.

One list of names (``names``), one list of the shapes of tokens (``tokens``), one search for known secrets (``known``).
"""

from runbook_engine.masking.inside import passwords
from runbook_engine.masking.mask import Mask
from runbook_engine.masking.names import hidden_members, holds_secret, names_secret, variable_holds_secret
from runbook_engine.secret import HIDDEN

__all__ = ["HIDDEN", "Mask", "hidden_members", "holds_secret", "names_secret", "passwords", "variable_holds_secret"]
