"""Private keys that never leave a PKCS#11 token: what joserfc asks of a private key, the token does.

Source: OASIS PKCS #11 2.40; python-pkcs11. Nothing is padded or unpadded here. A key in the token bears the label
`tunnus-<purpose>-<kid>`, cannot be extracted, and does one thing: sign, or decrypt.

- *Threads.* python-pkcs11 opens a library without its locking (`C_Initialize(NULL)`: seen to crash under threads), so
  one thread at a time is inside of it, over one session. The broker's others wait.
- *Failure.* An error that is not the message's own ends the session, and the call is made once more by a new one. If
  that fails too, the next begins at most every RETRY seconds. A PIN that was refused is never tried again by this
  process: a token locks itself after a few.
- *Fork.* No process of ours forks; a session would not survive it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import ECKey, RSAKey

from broker.keys.pkcs11_keys import TokenECKey, TokenRSAKey
from kit.serving.greenlets import beside
from providers.model import KeysUnavailable

RETRY = 2.0
"""Seconds between two tries to reach a token that has failed."""
T = TypeVar("T")


@dataclass
class _Session:
    """One session, and the private keys that were found by it."""

    session: Any
    keys: dict[str, Any] = field(default_factory=dict)


class Pkcs11Token:
    """`kit.keys.token.Token` over one token. module: path of its library. read_pin: from a file or the environment.

    Nothing is opened before the first use. monotonic: seconds.
    """

    def __init__(
        self, module: str, label: str, read_pin: Callable[[], str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._module, self._label, self._read_pin = module, label, read_pin
        self._monotonic = monotonic
        self._one_at_a_time = _lock_of(module)
        self._token: Any = None
        self._held: _Session | None = None
        self._failed_at: float | None = None
        self._refused: str | None = None

    def key_of(self, purpose: str, jwk: dict[str, Any]) -> RSAKey | ECKey:
        """The key that a JWK is the public part of. The token is not asked for it before it is used."""
        label, public = _label(purpose, jwk["kid"]), {name: jwk[name] for name in jwk if name not in ("kid", "alg")}
        if jwk["kty"] == "EC":
            return ECKey(TokenECKey(self, label, ECKey.import_key(public).public_key), jwk)
        return RSAKey(TokenRSAKey(self, label, RSAKey.import_key(public).public_key), jwk)

    def generate(self, purpose: str, alg: str, rsa_bits: int) -> tuple[dict[str, Any], bool]:
        """Make a key pair in the token: its public JWK with `kid` and `alg`, and whether it can do no more than `alg`.

        Raises KeysUnavailable.
        """
        import pkcs11

        kid = secrets.token_urlsafe(24)
        label = _label(purpose, kid)
        flags = pkcs11.MechanismFlag
        able = flags.ENCRYPT | flags.DECRYPT if alg == "RSA-OAEP" else flags.SIGN | flags.VERIFY
        secret = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
        options = {"id": kid.encode(), "label": label, "store": True, "capabilities": able, "private_template": secret}

        def make(session: Any) -> dict[str, Any]:
            if alg == "ES256":
                from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

                curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
                parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
                made, _ = parameters.generate_keypair(**options)
                return dict(ECKey.import_key(encode_ec_public_key(made)).as_dict(private=False))
            made, _ = session.generate_keypair(pkcs11.KeyType.RSA, rsa_bits, **options)
            numbers = (made[pkcs11.Attribute.PUBLIC_EXPONENT], made[pkcs11.Attribute.MODULUS])
            e, n = (int.from_bytes(number) for number in numbers)
            public = rsa.RSAPublicNumbers(e, n).public_key()
            return dict(RSAKey(public, public).as_dict(private=False))

        members = self._use(lambda held: make(held.session), rw=True)
        kept = {name: value for name, value in members.items() if name in ("kty", "n", "e", "crv", "x", "y")}
        jwk = {**kept, "alg": alg, "kid": kid}
        return jwk, alg == "RSA-OAEP" and not self._does_sha256(label, jwk)

    def destroy(self, purpose: str, kid: str) -> None:
        """Remove a key pair from the token. Raises KeysUnavailable."""
        import pkcs11

        def remove(held: _Session) -> None:
            for found in list(held.session.get_objects({pkcs11.Attribute.LABEL: _label(purpose, kid)})):
                found.destroy()

        self._use(remove, rw=True)

    def find(self, purpose: str, kids: Iterable[str]) -> None:
        """See whether the token can be used and holds these keys. Raises KeysUnavailable."""

        def look(held: _Session) -> None:
            for kid in kids:
                held.keys.pop(_label(purpose, kid), None)
                _key(held, _label(purpose, kid))

        self._use(look)

    def sign_rsa(self, label: str, data: bytes) -> bytes:
        """RS256's signature (RFC 7518 §3.3). Raises KeysUnavailable."""
        import pkcs11

        return self._use(lambda s: bytes(_key(s, label).sign(data, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)))

    def sign_ec(self, label: str, data: bytes) -> bytes:
        """ES256's signature, in DER. Raises KeysUnavailable."""
        import pkcs11

        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        hashed = digest.finalize()
        raw = self._use(lambda s: bytes(_key(s, label).sign(hashed, mechanism=pkcs11.Mechanism.ECDSA)))
        return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))

    def decrypt(self, label: str, ciphertext: bytes, *, sha256: bool) -> bytes:
        """RSA-OAEP or RSA-OAEP-256 (RFC 7518 §4.3). Raises ValueError if it does not open, KeysUnavailable."""
        import pkcs11

        how = (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256) if sha256 else (pkcs11.Mechanism.SHA_1, pkcs11.MGF.SHA1)
        errors = pkcs11.exceptions
        bad = (errors.EncryptedDataInvalid, errors.EncryptedDataLenRange)
        cannot = (errors.ArgumentsBad, errors.MechanismInvalid, errors.MechanismParamInvalid)

        def work(held: _Session) -> bytes | None:
            key = _key(held, label)
            try:
                mechanism = pkcs11.Mechanism.RSA_PKCS_OAEP
                return bytes(key.decrypt(ciphertext, mechanism=mechanism, mechanism_param=(*how, None)))
            except (*bad, *cannot):
                return None
            except (errors.GeneralError, errors.FunctionFailed):
                # Some say no more than this of a message that does not open: it was that if the key is still there.
                held.keys.pop(label, None)
                _key(held, label)
                return None

        opened = self._use(work)
        if opened is None:
            raise ValueError("the message does not open")
        return opened

    def _does_sha256(self, label: str, jwk: dict[str, Any]) -> bool:
        digest = hashes.SHA256()
        public = RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")}).public_key
        sealed = public.encrypt(b"probe", padding.OAEP(padding.MGF1(digest), digest, None))
        try:
            return self.decrypt(label, sealed, sha256=True) == b"probe"
        except ValueError:
            return False

    def _use(self, work: Callable[[_Session], T], *, rw: bool = False) -> T:
        import pkcs11

        with self._one_at_a_time:
            try:
                return beside(self._try, work, rw=rw)
            except (pkcs11.PKCS11Error, OSError, RuntimeError) as error:
                self._held, self._failed_at = None, self._monotonic()
                # The name of the error alone: what libraries say more of it is not ours to vouch for.
                raise KeysUnavailable(f"the token cannot be used: {type(error).__name__}") from error

    def _try(self, work: Callable[[_Session], T], *, rw: bool) -> T:
        import pkcs11

        if self._held is not None and not rw:
            try:
                return work(self._held)
            except pkcs11.PKCS11Error:  # a session that was idle for long may have been ended: once more, by a new one
                self._held, self._failed_at = None, self._monotonic() - RETRY
        if self._held is None:
            self._held = _Session(self._begin())
        if not rw:
            return work(self._held)
        with self._token.open(rw=True) as session:
            return work(_Session(session))

    def _begin(self) -> Any:
        """A session of a library that is opened anew, logged in."""
        import pkcs11

        if self._refused is not None:
            raise KeysUnavailable(self._refused)
        if self._failed_at is not None and self._monotonic() - self._failed_at < RETRY:
            raise KeysUnavailable("the token failed a moment ago")
        self._token = self._find()
        errors = pkcs11.exceptions
        refusals = (errors.PinIncorrect, errors.PinLocked, errors.PinExpired, errors.PinInvalid, errors.PinLenRange)
        try:
            session = self._token.open(user_pin=self._read_pin())
        except errors.UserAlreadyLoggedIn:  # another ring of this process is
            session = self._token.open()
        except (*refusals, errors.UserPinNotInitialized) as error:
            self._refused = f"the token refused the PIN ({type(error).__name__}), not tried again before a restart"
            raise KeysUnavailable(self._refused) from error
        self._failed_at = None
        return session

    def _find(self) -> Any:
        import pkcs11

        library = pkcs11.lib(self._module)
        if self._failed_at is None:
            try:
                return library.get_token(token_label=self._label)
            except pkcs11.PKCS11Error:
                pass  # the library may be from before its token went and came, seen by another of this process
        library.reinitialize()
        return library.get_token(token_label=self._label)


@cache
def _lock_of(module: str) -> threading.Lock:
    """The lock of a library: a process has it once, whatever tokens it reaches by it."""
    return threading.Lock()


def _label(purpose: str, kid: str) -> str:
    return f"tunnus-{purpose}-{kid}"


def _key(held: _Session, label: str) -> Any:
    import pkcs11

    if label not in held.keys:
        held.keys[label] = held.session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
    return held.keys[label]
