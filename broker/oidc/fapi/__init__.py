"""What clients of the FAPI 2.0 profiles need beyond OpenID Connect; a plain client's login passes none of it.

    par                a client pushes its request (RFC 9126); `pushed` keeps it under a `request_uri`
    request_objects    a pushed request that the client has signed (RFC 9101)
    sender             what binds an access token to its client: `dpop` (RFC 9449), `certificates` (RFC 8705)
    jarm               authorization responses that we sign (JWT Secured Authorization Response Mode)

Which of it a client must use is its profile's to say (`broker.settings.models.ClientSettings`); whoever uses it
without being obliged to is held to the same rules.
"""
