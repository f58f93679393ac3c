"""What a message tells of the matter itself, without the wish for a ticket around it.

"Open a ticket please" tells nothing, so the person is asked. "Open a ticket: my monitor flickers" does.
"""

from __future__ import annotations

import re

_ENOUGH = 2  # words that are not about the ticket itself
_ABOUT_THE_TICKET = re.compile(
    r"\b(?:open|opens|create|creates|raise|log|file|submit|make|start|put|need|want|would|like|can|could|you|"
    r"please|pls|plz|a|an|the|new|ticket|tickets|incident|case|issue|request|support|it|help|desk|helpdesk|"
    r"i|i'd|i've|we|me|my|for|to|with|in|at|hi|hey|hello|thanks|thank|something|problem|have|got|is|there|"
    r"some|about|this|that|jira)\b",
    re.IGNORECASE,
)
_CHARS = 4_000


def told_in(text: str) -> str:
    """The text; empty where nothing is left of it but the wish."""
    rest = _ABOUT_THE_TICKET.sub(" ", text[:_CHARS])
    return text[:_CHARS] if len(re.findall(r"\w+", rest)) >= _ENOUGH else ""
