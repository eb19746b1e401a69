"""Registration: a person who has identified becomes the representative of a company in the online service.

    GET /                 kind of customer
    GET /start            an authorization request to the broker; its state, nonce and verifier stand in an attempt
    GET /callback         the identity token is verified; the person is known by `sub`, in a session of their own
    GET, POST /form       company, contact, password, terms: a draft, sealed, found again by the same `sub`
    GET, POST /review     all of it once more; the POST is one database transaction: account, right, outbox, audit
    GET /done             what was got, and the way on to the online service

Beside it: sign-in, rights and sessions (pages), two endpoints for the online service (`api`), and the command
`tunnus-registration` for customer service and the operator. An ordinary OpenID Connect client: nothing here knows
the broker but by its tokens.
"""
