"""The employer's sign-in service of the demo: an OpenID Provider of four made-up people, by Authlib's server parts.

    GET  /.well-known/openid-configuration
    GET  /authorize      who signs in: a button for each person
    POST /authorize      the code, back to the client
    POST /token          by private_key_jwt; an ID token with `groups`
    GET  /jwks, /logout

What a company has instead is its own: Entra ID, Keycloak, any other. Kept in memory, and without a login: for this
machine and made-up people only.
"""
