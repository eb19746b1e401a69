"""A password is not the user name, also where the user name is chosen after it: one hash must do for it all."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from registration.accounts import sessions
from registration.accounts.names import user_name_key


class Forgotten(Exception):
    """Nobody can tell any more whether a user name is the password: that is to be typed again."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a user name that is chosen later is compared with: nobody keeps the password. Kept sealed, in the draft.

    user_name: the last one that the password was not, as its key. session: in which the password was typed. digest:
    of the password as a user name, by that session's token: without the browser it tells nothing, even to who has
    our keys, where a digest by one of these could be guessed at quickly.
    """

    user_name: str
    session: str
    digest: str

    @classmethod
    def of(cls, password: str, user_name: str) -> Compared:
        """A password has just been chosen that is not this user name."""
        return cls(user_name_key(user_name), *sessions.keyed_by_session(user_name_key(password)))

    def with_name(self, user_name: str) -> Compared | None:
        """With another user name, which is not the password; None if it is. Raises Forgotten in another session."""
        key = user_name_key(user_name)
        if key == self.user_name:
            return self
        session, digest = sessions.keyed_by_session(key)
        if session != self.session:
            raise Forgotten
        return None if hmac.compare_digest(digest, self.digest) else replace(self, user_name=key)
