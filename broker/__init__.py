"""The broker: an OpenID Provider towards its clients, a relying party towards the banks.

app        the only wiring                    oidc/     the OpenID Provider inwards
settings   one file that cannot be half right flow/     the person's way
pages      what a person sees                 store/    what is short-lived
catalogue  what can be chosen                 keys/     what must not leak
health     the second port                    audit/    what must not be lost
"""
