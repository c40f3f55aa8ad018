"""Tokens that give themselves away by their shape, as the services that make them document it.

The list follows the services' own pages (https://github.blog/engineering/behind-githubs-new-authentication-token-formats/,
https://docs.gitlab.com/security/tokens/, https://api.slack.com/authentication/token-types, https://docs.stripe.com/keys) and
the rules of https://github.com/gitleaks/gitleaks.
"""

import re
from collections.abc import Sequence
from functools import cache

from runbook_engine.masking.several import Search, search_for
from runbook_engine.secret import HIDDEN

_WORD = r"[A-Za-z0-9_-]"
_TOKENS: Sequence[tuple[tuple[str, ...], str]] = (
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[A-Za-z0-9]{30,255}"),
    (("github_pat_",), r"\w{30,255}"),
    (("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glft-", "glagent-"), _WORD + "{20,200}"),
    (("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-"), _WORD + "{10,250}"),
    (("hooks.slack.com/services/", "hooks.slack.com/workflows/"), r"[\w/-]{20,200}"),
    (("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"), r"\d{5,25}/[\w-]{20,200}"),
    (("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"), r"[A-Za-z0-9]{10,250}"),
    (("sk-ant-", "sk-proj-", "sk-svcacct-"), _WORD + "{20,250}"),
    (("AIza",), _WORD + "{35}"),
    (("ya29.", "GOCSPX-"), r"[\w.-]{20,500}"),
    (("npm_",), r"[A-Za-z0-9]{36}"),
    (("pypi-AgE",), _WORD + "{50,500}"),
    (("dop_v1_", "doo_v1_", "dor_v1_"), r"[a-f0-9]{64}"),
    (("hf_",), r"[A-Za-z0-9]{30,60}"),
    (("SG.",), r"[\w-]{16,64}\.[\w-]{16,64}"),
    (("hvs.", "hvb.", "hvr."), _WORD + "{20,500}"),
    (("glsa_", "glc_"), r"[A-Za-z0-9+/=_]{30,500}"),
    (("shpat_", "shpss_", "shpca_", "shppa_"), r"[a-fA-F0-9]{32}"),
    (("dapi",), r"[a-f0-9]{32}"),
    (("dckr_pat_", "dckr_oat_"), _WORD + "{20,100}"),
    (("rubygems_",), r"[a-f0-9]{48}"),
    (("AGE-SECRET-KEY-1",), r"[0-9A-Z]{58}"),
    (("eyJ",), r"[\w-]{8,4000}\.eyJ[\w-]{8,16000}\.[\w-]{8,4000}"),  # a JSON Web Token
)
_SEARCHES = tuple(
    (prefix, re.compile(rf"(?<![A-Za-z0-9]){re.escape(prefix)}{rest}"))
    for prefixes, rest in _TOKENS
    for prefix in prefixes
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def without_tokens(text: str) -> str:
    """The text with such tokens and private keys hidden."""
    for index in sorted({index for index, _ in _prefixes()(text.encode())}):
        text = _SEARCHES[index][1].sub(HIDDEN, text)
    return _without_keys(text) if "-----BEGIN " in text else text


@cache
def _prefixes() -> Search:
    return search_for([prefix.encode() for prefix, _ in _SEARCHES])


def _without_keys(text: str) -> str:
    """Of a private key nothing is left, and nothing of what follows one whose end was cut off."""
    kept: list[str] = []
    at = 0
    while found := _KEY_BEGINS.search(text, at):
        end = _KEY_ENDS.search(text, found.end())
        kept += [text[at : found.start()], HIDDEN]
        at = end.end() if end else len(text)
    return "".join([*kept, text[at:]])
