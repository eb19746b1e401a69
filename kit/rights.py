"""A right to a company's data: what it is for and what it allows. Registration gives it, staff's pages show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.pages.languages import N_

SECTION_NAMES: Mapping[str, str] = {
    "consumption": N_("Consumption"),
    "contracts": N_("Contracts"),
    "invoices": N_("Invoices"),
    "users": N_("Users"),
}
SECTIONS = tuple(SECTION_NAMES)
"""What a right is for."""
LEVEL_NAMES: Mapping[str, str] = {"none": N_("No access"), "read": N_("Read-only"), "write": N_("Read and write")}
LEVELS = tuple(LEVEL_NAMES)
"""What a right allows, the least first."""
IN_TEMPLATES: Mapping[str, Any] = {
    "SECTIONS": SECTIONS,
    "LEVELS": LEVELS,
    "section_names": SECTION_NAMES,
    "level_names": LEVEL_NAMES,
}
