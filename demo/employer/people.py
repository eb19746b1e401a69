"""The made-up staff of the demo's company."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff. groups: of the employer's directory. does: what they do, for the page."""

    id: str
    name: str
    email: str
    groups: tuple[str, ...]
    does: str

    def get_user_id(self) -> str:
        """For Authlib."""
        return self.id


PEOPLE = {
    person.id: person
    for person in (
        Person(
            "maija", "Maija Meikäläinen", "maija@staff.example.com", ("customer-service",),
            "Customer service: looks up, gives and ends access rights",
        ),
        Person(
            "sven", "Sven Esimerkki", "sven@staff.example.com", ("customer-service-leads",),
            "Supervisor: also makes administrators, and confirms what others ask for",
        ),
        Person(
            "saga", "Saga Exempel", "saga@staff.example.com", ("customer-service-leads",),
            "Supervisor: a second one, to confirm what the first asks for",
        ),
        Person(
            "aarne", "Aarne Tarkastaja", "aarne@staff.example.com", ("internal-audit",),
            "Auditor: reads everything, changes nothing",
        ),
        Person("oili", "Oili Muuala", "oili@staff.example.com", ("office",), "Works elsewhere: has no role"),
    )
}  # fmt: skip
