"""The keys that a client proves itself with (RFC 7523), of whatever service it is."""

from __future__ import annotations

from kit.keys.timetable import Purpose

CLIENT = Purpose(
    "client",
    "sig",
    ("ES256",),
    warm_up=3600,
    cooldown=600,
    lead=82_800,
    by_hand="give the broker the new public set (keys show-public --out FILE)",
)
"""In use a day after it was made: until then the broker must have its public part, as a file that it reads again."""

CLIENT_PURPOSES = {CLIENT.name: CLIENT}
