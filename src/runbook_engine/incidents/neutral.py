"""Texts in which a chat finds nobody to call, no link and no markup that is not there: what others wrote stays words.

Titles of alerts, labels and notes go into messages. Discord, Mattermost, Rocket.Chat and others take mentions out of any
text, whatever it is sent as, and several render Markdown always. A space without width, behind what would begin a mention or
a link, ends it and shows as nothing. Whom a service is to call is said in its address, as ``?ping=`` of Discord.
https://docs.discord.com/developers/reference#message-formatting, https://docs.slack.dev/messaging/formatting-message-text,
https://docs.mattermost.com/collaborate/mention-people.html, https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions
"""

import re

_NOTHING = "\u200b"
_EVERYBODY = "everyone|here|channel|all|room|team|online|users"
_BEGINNING = re.compile(
    rf"[@＠](?:(?=(?:{_EVERYBODY})(?!\w))|(?<![^\W_].)(?=\S))"  # of people; behind a letter it stands in an address of mail
    r"|<(?=[^\s\d=])"  # of Slack's and Google's mentions and links, and of tags
    r"|\](?=[(\[:])",  # of a link in Markdown, in any of its forms
    re.IGNORECASE,
)


_ANY_AT = re.compile(r"@(?=[^\s\u200b])")


def neutral(text: str, *, any_at: bool = False) -> str:
    """The text as it reads, with nothing in it that a chat acts upon. ``any_at``: nor in addresses of mail."""
    made = _BEGINNING.sub(lambda found: found[0] + _NOTHING, text)
    return _ANY_AT.sub("@" + _NOTHING, made) if any_at else made
