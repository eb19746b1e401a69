"""`/developer` of the second port: what was refused of a client's requests, and a login tried for it, claim by claim.

    tries.py     a login begins as a pushed request with an address of this page, and its code is used here
    claims.py    each claim of the identity token: what it is, and what was checked
    routes.py    the pages

For tests only: production refuses the setting. Nothing here makes a token that leaves, or takes a code that another
login got; what is shown of a person is of an artificial one, as a test takes no other, and is kept nowhere.
"""

from __future__ import annotations

from broker.operations.developer.routes import add_developer_pages

__all__ = ["add_developer_pages"]
