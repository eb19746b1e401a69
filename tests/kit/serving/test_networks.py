"""What an address is counted by."""

from __future__ import annotations

import pytest

from kit.serving.networks import network_of, networks_of


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
        ("64:ff9b::192.0.2.1", ("192.0.2.1",)),
        ("::ffff:0:192.0.2.1", ("192.0.2.1",)),
        ("64:ff9b:1::192.0.2.1", ("64:ff9b:1::/64", "64:ff9b:1::/48")),
        ("2001:DB8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
        ("192.0.2.1:80", ()),
        ("", ()),
        ("unix", ()),
        (None, ()),
    ],
)
def test_an_address_is_counted_by_its_networks_the_narrowest_first(
    address: str | None, networks: tuple[str, ...]
) -> None:
    assert networks_of(address) == networks
    assert network_of(address) == (networks[0] if networks else None)
