"""Settings of signing in: at any OpenID provider, or at Microsoft where Entra is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.settings.entra import EntraPart
from bot.settings.part import PRIVATE, SettingError, all_or_none, none_empty, secret, setting

_NEEDED = ("OIDC_ISSUER", "OIDC_CLIENT_ID")


@dataclass(frozen=True)
class SignInPart(EntraPart):
    entra_sign_in: bool = setting(
        "ENTRA_SIGN_IN", False, "yes: people sign in with Microsoft, through the same app registration"
    )
    oidc_issuer: str = setting("OIDC_ISSUER", "", "address of an OpenID provider where people sign in")
    oidc_client_id: str = setting("OIDC_CLIENT_ID", "", "what Deskhand is called there")
    oidc_client_secret: str = secret("OIDC_CLIENT_SECRET", "its secret; empty for a public client")
    oidc_name: str = setting("OIDC_NAME", "your company account", "what people call it: Sign in with ...")
    oidc_person_claim: str = setting(
        "OIDC_PERSON_CLAIM",
        "",
        "claim that holds a person's immutable id in the directory; empty: linked once by confirmed mail",
    )
    oidc_ca_file: Path | None = setting(
        "OIDC_CA_FILE", None, "certificates of a private authority, PEM, of the provider"
    )

    @property
    def signs_in(self) -> bool:
        """Whether people can sign in."""
        return bool(self.oidc_issuer) or (self.entra and self.entra_sign_in)

    def check_sign_in(self, environ: Mapping[str, str]) -> None:
        """All that a provider needs, or nothing of it. :raises SettingError:"""
        none_empty(environ, [name for name in environ if name.startswith("OIDC_")])
        all_or_none(environ, _NEEDED)
        if self.oidc_issuer and not PRIVATE.match(self.oidc_issuer):
            raise SettingError("OIDC_ISSUER: takes an https address; plain http only on loopback")
        if self.oidc_issuer and self.entra_sign_in:
            raise SettingError("OIDC_ISSUER and ENTRA_SIGN_IN: people sign in at one of them")
        if self.entra_sign_in and not self.entra:
            raise SettingError("ENTRA_SIGN_IN: needs ENTRA_TENANT_ID and what belongs to it")
