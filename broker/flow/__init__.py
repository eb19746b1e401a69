"""The person's way: from a client's authorization request to its code, or back without one.

    /authorize ──> Transaction ──> /choose/<transaction> ──┐
                       │  idp_hint                         │ a row is a link
                       └──────────> /identify/<transaction>/<row> ──> Attempt ──> 303 to the bank
                                                                                    │
    /callback/<connection>  <───────────────────────────────────────────────────────┘
        1 state known?           no  ──> expired, replay
        2 this browser?          no  ──> lost_cookie
        3 claimed first? (NX)    no  ──> the first one's outcome, a wait for it, or interrupted
        4 adapter.finish         no  ──> the error's page
        5 audit record synced    no  ──> no code
        6 one MULTI: code, outcome, claim closed ──> 303 to the client

A transaction lives 30 minutes, is never taken, and may have many attempts; an attempt is claimed once.
The outcome of an attempt is the address that its callback was sent to: an equal callback within 60 s gets
the same. A return record outlives the transaction by 24 hours and can lead to one thing only: an OAuth
error at a redirect URI that is registered for the client. Every problem is a page with a way on.
"""
