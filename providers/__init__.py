"""The relying party outwards: one small module per bank, over one engine that speaks the FTN profile.

    broker ──BeginRequest──> engine.adapter ──request object──> (browser) ──> the bank
    broker <──Identity────── engine.adapter <──code, token request, ID token, keys── the bank

Three kinds of data steer it: what is true of the bank (`providers/<bank>.py`), what is true of a protocol
variant (`providers/dialects/`), and what is true of our contract (`providers.connection.Connection`, from
config). No Flask, no Redis, no globals: HTTP, clock, keys and settings are handed in, values come back.
"""
