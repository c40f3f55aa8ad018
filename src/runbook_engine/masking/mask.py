"""The mask: what lets texts through without the secrets in them."""

from collections.abc import Iterable, Mapping

from runbook_engine.hostile import well_formed
from runbook_engine.masking.inside import parts, passwords
from runbook_engine.masking.known import Known
from runbook_engine.masking.named import without_named, without_secrets_of_urls
from runbook_engine.masking.names import variable_holds_secret
from runbook_engine.masking.tokens import without_tokens
from runbook_engine.secret import HIDDEN


class Mask:
    """Hides every known secret in texts, in whatever form a client may have written it, and what gives itself away.

    It does not fail: where it cannot do its work, nothing of the text is let through.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = Known()
        self._broken = False
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """More secrets: whole values; the password of a connection string and the token of a header count as well."""
        try:
            for secret in secrets:
                for part in (secret, *parts(secret)):
                    self._known.add(part)
        except Exception:  # noqa: BLE001 - a secret that is not known cannot be hidden: then all is
            self._broken = True

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """The variables that by their name hold a secret, and the passwords of those that hold a URL."""
        for name, value in environ.items():
            if variable_holds_secret(name, value):
                self.learn(value)
            elif "://" in value or "=" in value:
                self.learn(*passwords(value))

    def known(self, text: str) -> str:
        """The text without the secrets that are known."""
        if self._broken:
            return HIDDEN if text else text
        if not self._known.secrets:
            return text
        try:
            return self._without_known(text)
        except Exception:  # noqa: BLE001 - the last line of defence
            return HIDDEN

    def text(self, text: str) -> str:
        """The text without secrets, whole, in characters that every encoding has."""
        masked = well_formed(self.known(text))
        try:
            return without_named(without_tokens(masked))
        except Exception:  # noqa: BLE001 - the last line of defence
            return HIDDEN

    def document(self, text: str) -> str:
        """A text of a runbook, which has to stay one: only what is known is hidden, tokens, and what stands in URLs."""
        masked = well_formed(self.known(text))
        try:
            return without_secrets_of_urls(without_tokens(masked))
        except Exception:  # noqa: BLE001 - the last line of defence
            return HIDDEN

    def _without_known(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        spans = self._known.spans(data)
        if not spans:
            return text
        kept = []
        at = 0
        for first, last in spans:
            kept += [data[at:first], HIDDEN.encode()]
            at = last
        return b"".join([*kept, data[at:]]).decode("utf-8", "surrogatepass")
