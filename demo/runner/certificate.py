"""A client's TLS certificate, as a proxy that ends TLS hands it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding


def forwarded_certificate() -> str:
    """A new self-signed one, as nginx writes `$ssl_client_escaped_cert`: no authority is asked (RFC 8705 §3)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "demo")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return quote(builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode())
