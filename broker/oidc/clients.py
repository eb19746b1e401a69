"""Our clients, as Authlib wants to see them: made once from the settings, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from joserfc.jwk import Key

from broker.settings.models import AuthMethod, ClientSettings, SenderConstraint
from kit.client_authentication.assertion import SigningKey, public_key, signing_keys
from kit.client_authentication.secret import is_secret

CAN_BE_NEEDED = ("pkce", "nonce", "state")


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """The public RSA key that a client's identity tokens are encrypted to."""

    kid: str | None
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """A client. sector: clients of one sector see the same `sub`. audiences: further audiences of its tokens.

    show_step: its requests may say which step of how many the identification is. needs: what each of its requests
    must bring, of `pkce`, `nonce` and `state`. iss_in_errors: whether error responses name us. fapi: it is held to the
    FAPI 2.0 Security Profile; message_signing: its requests and our responses are signed, too. sender_constrained:
    what its access tokens must be bound by. signed_userinfo: `/userinfo` answers it with a JWT. developer_uri: where
    logins end that a developer tries for it; no request of the client may name it.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    auth_method: AuthMethod
    sector: str
    id_token_alg: Literal["RS256", "ES256"]
    audiences: tuple[str, ...] = ()
    show_step: bool = False
    needs: frozenset[str] = frozenset(CAN_BE_NEEDED)
    iss_in_errors: bool = True
    fapi: bool = False
    message_signing: bool = False
    sender_constrained: SenderConstraint = "none"
    signed_userinfo: bool = False
    developer_uri: str | None = None
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    encryption_key: EncryptionKey | None = field(default=None, repr=False)
    secret_hash: str | None = field(default=None, repr=False)

    @staticmethod
    def of(client_id: str, settings: ClientSettings, developer_uri: str | None = None) -> Client:
        """A client from its section of the settings, its keys parsed."""
        keys, encryption = settings.jwks or (), settings.encryption_key
        return Client(
            client_id=client_id,
            redirect_uris=tuple(settings.redirect_uris),
            scopes=frozenset(settings.scopes),
            auth_method=settings.auth_method,
            sector=settings.sector,
            id_token_alg=settings.id_token_alg,
            audiences=tuple(settings.audiences),
            show_step=settings.show_step,
            needs=frozenset(name for name in CAN_BE_NEEDED if getattr(settings, name) == "required"),
            iss_in_errors=settings.iss_in_errors,
            fapi=settings.profile != "plain",
            message_signing=settings.profile == "fapi2-message-signing",
            sender_constrained=settings.sender_constraint,
            signed_userinfo=settings.signed_userinfo,
            developer_uri=developer_uri,
            signing_keys=signing_keys(keys, settings.signing_algorithms),
            encryption_key=EncryptionKey(encryption.get("kid"), public_key(encryption)) if encryption else None,
            secret_hash=settings.secret_hash,
        )

    def get_client_id(self) -> str:
        """For Authlib."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """For Authlib: there is none, every request must name its own."""
        return

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """For Authlib: the scope, each value once; None (`invalid_scope`) without `openid` or if one is not allowed."""
        wanted = list(dict.fromkeys((scope or "").split()))
        return " ".join(wanted) if "openid" in wanted and self.scopes.issuperset(wanted) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """True if exactly this URI is registered."""
        return redirect_uri in self.redirect_uris

    def may_lead_to(self, redirect_uri: str) -> bool:
        """Whether the response to a request that is kept here may go there: it is registered, or the developer page."""
        return self.check_redirect_uri(redirect_uri) or redirect_uri == self.developer_uri

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare a secret with the hashed one, in constant time."""
        return is_secret(client_secret, self.secret_hash)

    def check_response_type(self, response_type: str) -> bool:
        """For Authlib: every client uses the code flow and nothing else."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """For Authlib: every client uses the code flow and nothing else."""
        return grant_type == "authorization_code"
