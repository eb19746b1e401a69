"""The broker: an OpenID Provider towards its clients, a relying party towards the banks.

app.py      the only wiring                     oidc/     the OpenID Provider inwards
settings/   one file that cannot be half right  flow/     the person's way
chooser/    what can be chosen                  store/    what is short-lived
pages/      what a person sees                  keys/     what must not leak
operations/ the second port                     audit/    what must not be lost
"""
