"""What the pages are drawn of: values in, nothing of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.chooser.catalogue import Row


@dataclass(frozen=True, slots=True)
class Action:
    """A way out of a problem. label: a key of texts.ACTIONS."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ChooserView:
    """The chooser. notice: `cancelled`, `hint_unusable` or None. scopes: what the client asked for.

    step: which of how many the identification is: `2/4`. path: of this page, for its language links.
    """

    transaction_id: str
    locale: str
    client_name: str
    rows: tuple[Row, ...]
    notice: str | None
    scopes: tuple[str, ...]
    return_url: str
    step: str | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why an identification ended. code: of providers.errors. method: name of the row. when: with a time zone.

    reference: the `txn`, of which its first 8 characters are shown. actions: the first is the primary one.
    return_url: the way back to the client, None if it is lost. rows: others to choose, each started in the
    transaction transaction_id, None if it is gone. path: of this page, for its language links.
    """

    code: str
    locale: str
    method: str | None
    reference: str
    when: datetime
    actions: tuple[Action, ...] = ()
    return_url: str | None = None
    rows: tuple[Row, ...] = ()
    transaction_id: str | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class TooManyView:
    """A limit is reached. limit: its setting. seconds: until it begins anew. home: the client's home page."""

    limit: str
    seconds: int
    locale: str
    home: str
