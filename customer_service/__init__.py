"""Customer service in a browser: staff look up companies and people, and act for them, each act with its reason.

    GET /service                       search, or the way to sign in
    GET /service/sign-in, /callback    at the employer's OpenID Provider; its groups become roles
    GET /service/companies/<key>       a company; /service/people/<id>: a person; each with its trail
    GET, POST …/<act>                  an act's form; what is right is kept as a draft
    GET, POST /service/drafts/<id>     the draft once more, whole; the POST asks registration's staff API to do it
    GET /service/cases, /service/acts  what customer service decides, and what waits for a second member of staff

Nothing of a person is kept here: everything is registration's, asked for at each page by its staff API, as a client
that says for which member of staff it asks (RFC 8693 §4.1). Roles: `agent` reads and acts, `supervisor` also makes
administrators, relinks, settles disputes and confirms others' acts, `auditor` reads.
"""
