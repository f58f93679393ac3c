"""Deskhand's own token for the Bot Connector."""

from __future__ import annotations

import asyncio

import structlog

from bot.chat.platform import PlatformDown
from integrations.entra.token import LoginDown, LoginRefused
from integrations.entra.token import Tokens as AppTokens

SCOPE = "https://api.botframework.com/.default"

log = structlog.get_logger()


class TokenRefused(PlatformDown):
    """Microsoft does not take who we say we are: an admin has to mend it."""


class Tokens:
    """msal blocks, so it works in a thread; a token that is there is there at once."""

    def __init__(self, tokens: AppTokens) -> None:
        self._tokens = tokens

    async def get(self) -> str:
        """:raises PlatformDown:, :raises TokenRefused:"""
        try:
            return self._tokens.held() or await asyncio.to_thread(self._tokens.get)
        except LoginRefused as error:
            raise TokenRefused(
                f"TEAMS_APP_ID, TEAMS_TENANT_ID, TEAMS_CERTIFICATE_FILE or TEAMS_APP_SECRET: {error}"
            ) from error
        except LoginDown as error:
            log.warning("teams.login_down", reason=str(error))
            raise PlatformDown(str(error)) from error

    def forget(self, token: str) -> None:
        """It was refused: the next call asks for another."""
        self._tokens.forget(token)

    def close(self) -> None:
        self._tokens.close()
