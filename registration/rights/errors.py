"""Why a change of rights is refused."""

from __future__ import annotations


class RightsError(Exception):
    """A change that is refused; nothing was written. code: for programs."""

    code = "forbidden"


class Refused(RightsError):
    """What was asked for does not fit what there is; the text says what to do."""

    def __init__(self, text: str, code: str = "refused") -> None:
        super().__init__(text)
        self.code = code


class Forbidden(RightsError):
    """The actor may not do it, or there is no such company or user: which one is not told."""


class LastAdministrator(RightsError):
    """The company would be left without an administrator."""

    code = "last_administrator"


class NoSuchUser(RightsError):
    """User name and e-mail address do not both fit one existing user."""


class ListChanged(RightsError):
    """A list of users is not as it was shown to who confirms it."""


class AboveOwnLevel(RightsError):
    """More than the actor holds. section: the first one of which that is so."""

    def __init__(self, section: str) -> None:
        super().__init__(section)
        self.section = section


class NothingGiven(RightsError):
    """Every section is `none`."""
