"""The engine: what every FTN relying party does, whatever the bank and the dialect.

adapter            begin and finish, in the order of one identification
request_object     the signed authorization request
response           the authorization response: state, iss, error, code
client_assertion   private_key_jwt
token_request      one POST, never repeated
id_token           decrypt, verify, and check what it says
claims             CHECKS of the ID token's claims, in their order
public_keys        those of a bank's keys that can verify
jwks               the bank's keys: fetched by one caller at a time, last good set kept
entity_statement   pinning theirs, making ours
assurance          the levels of the trust network
normalise          verified claims to an Identity
http               bounded, dead-lined calls to a bank
breaker            whose new starts are stopped because a bank fails
watched            connections with a deadline as a whole, not only per read
signature          joserfc's check of a JWS, our bounds in place of its own
compact            strict reading of compact JOSE, before any library sees it
"""
