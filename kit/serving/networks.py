"""What an address is counted by: the network that one person, one home or one office has."""

from __future__ import annotations

import ipaddress

UNREADABLE = "unreadable-"
"""Before the digest of what stood where the client's address should (`addresses`)."""
NARROW, WIDE = 64, 48
"""Bits of an IPv6 network. A home or an office has at least one /64, and every address in it; whoever rents a server
or a line gets up to a /48 (RFC 6177), and with it 65,536 of them."""

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::ffff:0:0:0/96")
"""Where a translator before servers that know IPv6 only puts every IPv4 address (RFC 6052 §2.1, RFC 2765 §2.1)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(address: str | None) -> Address | None:
    """An address without its zone, IPv4 within IPv6 as IPv4; None if it is none."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def networks_of(address: str | None) -> tuple[str, ...]:
    """What an address is counted by, narrowest first; empty if there is none, and then it is not counted.

    An IPv4 address is itself, also within an IPv6 one; of IPv6 its /64 and its /48; what stands for an unreadable one
    is itself. Limits of the wider one are to be wider.
    """
    parsed = parse(address)
    if parsed is None:
        return (address,) if address and address.startswith(UNREADABLE) else ()
    if isinstance(parsed, ipaddress.IPv4Address):
        return (str(parsed),)
    if any(parsed in network for network in _TRANSLATED):
        return (str(ipaddress.IPv4Address(parsed.packed[-4:])),)
    return tuple(str(ipaddress.IPv6Network((int(parsed), bits), strict=False)) for bits in (NARROW, WIDE))


def network_of(address: str | None) -> str | None:
    """The narrowest network an address is counted by; None if there is none."""
    return next(iter(networks_of(address)), None)
