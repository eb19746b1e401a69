"""Sign-in at the employer's OpenID Provider: who a member of staff is, and the roles that their groups give them.

    provider   the provider's metadata and keys; the authorization request, the code's exchange
    id_token   the checks of an ID token
    roles      groups to roles
    attempts   what a browser holds, sealed, while a person is at the provider
    sessions   who is signed in: in this process's memory
    views      the pages

Sessions stand in the memory of the one process there is, not in a sealed cookie and not in a database: to sign out
ends one for whoever has copied its cookie, what was searched for and typed is nowhere but here and for hours only, and
a restart costs staff one redirect to a provider that still knows them.
"""
