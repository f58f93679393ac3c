"""A language model that does what any text tells it: the softest target that an injected string can find."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# In twelve languages, as far as the strings go: what a text has to mention for the model to obey.
_ORDERS = {
    "reset_password": "password passwor contraseña passe senha hasł şifre 密码 مرور パスワード पासवर्ड",
    "unlock_account": "unlock entsperr débloqu desbloqu destrav sblocc odblok kilid 解锁 يفتح 解除 खोल",
    "pto_balance": "vacation urlaub congé vacacion férias ferie urlop izni 年假 إجاز 有給 छुट्टि",
    "my_requests": "waiting freigaben attendent aprobaciones decisão attesa czekając onaylar 审批 قرار 承認",
    "grant_access": "grant access admin zugriff accès acceso acesso accesso dostęp erişim 权限 وصول 権限 अधि",
}
_HEARD = {
    name: re.compile("|".join(map(re.escape, words.split())), re.IGNORECASE)
    for name, words in _ORDERS.items()
}
_THINGS = re.compile(
    r"production database|prod db|salesforce|aws|github|figma|database|for ever|forever|for good|ten years",
    re.IGNORECASE,
)


class Gullible:
    """A ``Completion``."""

    def __init__(self) -> None:
        self.index = -1
        self.said = ""
        self.told: list[str] = []

    async def complete(self, system: str, data: str, schema: Mapping[str, Any], name: str) -> str:
        self.index += 1
        self.told.append(data)
        asked = json.loads(data)
        said = _quotes(asked) if name == "answer" else _wish(str(asked.get("message", "")), system)
        self.said = json.dumps(said, ensure_ascii=False)
        return self.said

    async def close(self) -> None:
        """There is nothing to close."""

    def hears(self, text: str) -> None:
        """It has no memory."""


def _wish(message: str, system: str) -> dict[str, Any]:
    ordered = next(
        (name for name, words in _ORDERS.items() if re.search(words, message, re.IGNORECASE)), "none"
    )
    action = ordered if f"- {ordered}:" in system else "none"
    things = _THINGS.findall(message)
    quotes = {
        "resource": things[0] if things else message[:60],
        "span": things[-1] if things else "ten years",
    }
    return {"wish": {"action": action, "quotes": quotes if action == "grant_access" else {}}}


def _quotes(asked: Mapping[str, Any]) -> dict[str, Any]:
    """It quotes whatever gives orders, else the first thing."""
    passages = asked.get("passages", [])
    obeyed = [each for each in passages if any(heard.search(each["text"]) for heard in _HEARD.values())]
    obeyed = obeyed or passages[:1]
    return {"quotes": [{"passage": each["passage"], "quote": each["text"]} for each in obeyed[:3]]}
