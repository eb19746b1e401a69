"""The mock banks: a strict identity provider of the Finnish Trust Network, with eleven faces, for tests and demos.

    GET  <issuer>/authorize      request.py verifies the request object → an outcome from the queue (control.py),
                                 or the person's page (interaction.py) → authorization response (response.py)
    POST <issuer>/token          token_endpoint.py verifies the client assertion → identity_token.py
    GET  <issuer>/signed-jwks    publication.py, from keys.py

An issuer is a realm (`shared`, or one provider's id) in one dialect: `{base}/shared/telia`, `{base}/nordea/isb`.
Faults (`mock_idp.faults`) bend one of these steps, for one identification. The package is an independent
reading of the profile: it imports nothing of the broker, and does its own JOSE (`jose.py`), because it must
also be able to make what no library makes.
"""
