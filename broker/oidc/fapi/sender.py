"""What an access token is bound to: the key of a DPoP proof (RFC 9449), a client's certificate (RFC 8705).

Read once a request, before the client authenticates: a client that lacks the nonce sends everything again, and its
assertion must not be used up by then. A client's setting says what it must show; a proof that is sent is enforced
whatever the setting says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Request, Response

from broker.oidc.clients import Client
from broker.oidc.descriptions import describe_refused_jwt
from broker.oidc.fapi.certificates import thumbprint_of
from broker.oidc.fapi.dpop import REMEMBERED, NonceNeeded, Nonces, Proof, read_proof
from broker.oidc.unsent import Taken, Unsent, Use, use_once
from broker.store import Key, Store
from kit.client_authentication import ClientRefused

_DPOP = "HTTP_DPOP"
"""The header, as WSGI names it: two of them are one with a comma in it, which no proof has."""


class ProofRefused(OAuth2Error):
    """`invalid_dpop_proof`, or `use_dpop_nonce` (RFC 9449 §5, §8)."""

    def __init__(self, reason: ClientRefused) -> None:
        self.error = "use_dpop_nonce" if isinstance(reason, NonceNeeded) else "invalid_dpop_proof"
        super().__init__(description=describe_refused_jwt(str(reason), "DPoP"))


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request shows of its sender. certificate: the thumbprint of its certificate (RFC 8705 §3.1)."""

    proof: Proof | None = None
    certificate: str | None = None

    @property
    def jkt(self) -> str | None:
        """The thumbprint of the proof's key."""
        return self.proof.jkt if self.proof else None


NOTHING = Sender()


class Senders:
    """Reads and enforces what requests show. bases: the URLs before the paths of our endpoints."""

    def __init__(
        self, bases: tuple[str, ...], nonces: Nonces, store: Store, clock: Callable[[], float], unsent: Unsent
    ) -> None:
        self._bases = bases
        self._nonces = nonces
        self._store = store
        self._clock = clock
        self._unsent = unsent

    def read(self, request: Request, access_token: str | None = None) -> Sender:
        """What a request shows; the proof's `jti` is not used up yet. access_token: as the request shows it.

        Raises ProofRefused.
        """
        environ = request.environ
        header, certificate = environ.get(_DPOP), thumbprint_of(environ)
        if header is None:
            return Sender(certificate=certificate) if certificate else NOTHING
        urls = tuple(base + request.path for base in self._bases)
        try:
            proof = read_proof(header, request.method, urls, self._nonces, self._clock(), access_token)
        except ClientRefused as reason:
            raise ProofRefused(reason) from reason
        return Sender(proof, certificate)

    def give_nonce(self, request: Request, response: Response) -> None:
        """Give whoever has sent a proof the nonce for the next one (RFC 9449 §8.2)."""
        if _DPOP in request.environ:
            response.headers["DPoP-Nonce"] = self._nonces.current()

    def admit(self, client: Client, sender: Sender, taken: Taken) -> None:
        """At the token endpoint: the client shows what it must; its proof is used up.

        Raises ProofRefused or InvalidRequestError, StoreUnavailable if a `jti` cannot be kept.
        """
        if client.sender_constrained == "dpop" and sender.proof is None:
            raise ProofRefused(ClientRefused("a proof is required of this client: send one in the DPoP header"))
        if client.sender_constrained == "mtls" and sender.certificate is None:
            raise InvalidRequestError("the client certificate is missing: this client must send it with the request")
        self.use_up(sender, taken)

    def use_up(self, sender: Sender, taken: Taken) -> None:
        """Use a proof's `jti` up, if there is a proof. Raises ProofRefused, StoreUnavailable."""
        if sender.proof is None:
            return
        key = Key("dpop-jti", "", f"{sender.proof.jkt}\x00{sender.proof.jti}")
        if not use_once(self._store, self._unsent, Use.of(key, REMEMBERED), taken):
            raise ProofRefused(ClientRefused("jti was used before: make a new proof for each request"))

    def check(self, confirmation: Mapping[str, str], sender: Sender, taken: Taken) -> None:
        """At a resource: what its access token is bound to is shown, and a proof is used up (RFC 9449 §7.1).

        Raises ClientRefused if the token is bound to something else; ProofRefused, StoreUnavailable.
        """
        if confirmation.get("jkt") != sender.jkt:
            raise ClientRefused("the access token is bound to another key, or to none: send it as it was given")
        if "x5t#S256" in confirmation and confirmation["x5t#S256"] != sender.certificate:
            raise ClientRefused("the access token is bound to a client certificate: send the same one with it")
        self.use_up(sender, taken)


def confirmation_of(client: Client, sender: Sender) -> dict[str, str]:
    """The `cnf` of an access token (RFC 9449 §6, RFC 8705 §3.1); empty if nothing binds it."""
    confirmation = {"jkt": sender.proof.jkt} if sender.proof else {}
    if client.sender_constrained == "mtls" and sender.certificate:
        confirmation["x5t#S256"] = sender.certificate
    return confirmation
