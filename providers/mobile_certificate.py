"""The mobile certificate of DNA, Elisa and Telia. Sources: Telia integration guide §1.4, §2.4.3; FiCom MSS guideline.

The person confirms on the phone; the operator waits up to five minutes for it (fault 208), and the form for
the phone number is on the broker's page, so a trip may take longer than one to a bank. Holders may be minors.
"""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="mobile-certificate",
    names={"fi": "Mobiilivarmenne", "sv": "Mobilcertifikat", "en": "Mobile certificate"},
    mark="phone",
    group="mobile",
    amr=("mpki.telia.1", "mpki.telia.emulator.1"),
    attempt_lifetime=1200,
)
