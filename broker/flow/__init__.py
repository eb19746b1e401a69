"""The person's way: from a client's authorization request to its code, or back without one.

    /authorize ──> Transaction, cookie ──> /choose/<transaction> ──┐
                       │  idp_hint                                 │ a row is a link: an act
                       └────────────────> /identify/<transaction>/<row> ──> Attempt ──> 303 to the bank
                                                                                            │
    /callback/<connection>  <───────────────────────────────────────────────────────────────┘
        1 state known?           no  ──> expired, replay
        2 this browser?          no  ──> lost_cookie
        3 claimed first? (NX)    no  ──> the first one's outcome, /wait/<attempt> for it, or interrupted
        4 adapter.finish         no  ──> the error's page
        5 audit record synced    no  ──> no code
        6 one MULTI: code, outcome, claim closed ──> 303 to the client

    /wait/<attempt>          looks again every 2 s and holds no thread; interrupted, 30 s after the claim
    /problem/<transaction>   why it ended, and the ways on
    /return/<transaction>    an OAuth error to the client; in another browser only the client's home page

A transaction that nobody has acted on is one small record for 10 minutes. From the first act on it lives 30 minutes,
is never taken, and may have 20 attempts; an attempt is claimed once. A browser has at most 20 open transactions, and
what nobody acted on never ends what somebody acted on (`open_transactions`).
The outcome of an attempt is the address that its callback was sent to: an equal callback within 60 s gets the same.
A return record outlives a transaction that was acted on by 24 hours and can lead to one thing only: an OAuth error
at a redirect URI that is registered for the client. Every problem is a page with a way on.
"""
