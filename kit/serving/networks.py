"""What an address is counted by: people share addresses, and one person may have billions of them."""

from __future__ import annotations

import ipaddress

_HOME, _SITE = 64, 48
"""Bits of an IPv6 address. A household or an office has at least one /64 and every address in it; many have a /48."""


def networks_of(address: str) -> tuple[str, ...]:
    """The networks an address is counted in, narrowest first: an IPv4 address itself; of IPv6 its /64 and its /48.

    Empty if it is no address. An IPv4 address that is written as an IPv6 one (RFC 4291 §2.5.5.2) is an IPv4 address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ()
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv4Address):
        return (str(parsed),)
    return tuple(str(ipaddress.IPv6Network((int(parsed), bits), strict=False)) for bits in (_HOME, _SITE))


def network_of(address: str) -> str | None:
    """The narrowest network an address is counted in; None if it is no address."""
    return next(iter(networks_of(address)), None)
