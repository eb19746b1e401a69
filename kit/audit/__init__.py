"""What makes an audit trail stand without trust in whoever holds it: heads kept elsewhere, and signed checkpoints.

    signed      statements signed by the `audit-sig` key, each with the public keys that the next ones may be signed by
    heads       a chain's last hash and its number, signed; read again from whatever a collector kept
    collector   a bounded queue and a thread that sends them, with what is unsent as a check and as metrics
    transport   syslog (RFC 5424) over UDP, TCP or TLS, or HTTP POST

The chains themselves are each service's own.
"""
