"""The defences of the staff API and of webhooks, and how each is removed: data."""

from __future__ import annotations

from tests.removals.of_broker import Mutation
from tests.removals.of_registration import removal

WHO = "tests/registration/api/test_staff.py"
ACTS = "tests/registration/api/test_staff_acts.py"
HOOKS = "tests/registration/test_webhooks.py"
STAFF_ACTS, TABLE = "api/staff/acts.py", "api/staff/table.py"
ASKS = "api/staff/authentication.py"
ACTING = "kit/client_authentication/acting.py"


STAFF: tuple[Mutation, ...] = (
    removal(
        "act is for clients that act for staff",
        ASKS,
        "client.acts_for_staff != (actor is not None)",
        "client.acts_for_staff and actor is None",
        "who_may_ask",
        WHO,
    ),
    removal(
        "a client that acts for staff says for whom",
        ASKS,
        "client.acts_for_staff != (actor is not None)",
        "not client.acts_for_staff and actor is not None",
        "who_may_ask",
        WHO,
    ),
    removal(
        "roles are those of the configuration too",
        ASKS,
        "frozenset(client.roles) & (actor.roles if actor else frozenset(client.roles))",
        "actor.roles if actor else frozenset(client.roles)",
        "who_may_ask",
        WHO,
    ),
    removal("a role is needed", ASKS, "    if not roles:\n", "    if False:\n", "who_may_ask", WHO),
    removal(
        "staff prove themselves by an assertion alone",
        ASKS,
        '"Authorization" in request.headers or HEADER',
        "HEADER",
        "secret_is_not_enough",
        WHO,
    ),
    removal("act is whole", ACTING, "and value.isprintable()", "", "who_may_ask", WHO),
    removal(
        "an act needs a role that acts",
        STAFF_ACTS,
        "    staff.refuse_without(AGENT)\n",
        "",
        "who_may_do_what",
        ACTS,
    ),
    removal(
        "what is weighty is a supervisor's",
        STAFF_ACTS,
        "    if ready.weighty or ready.supervisor:\n",
        "    if ready.supervisor:\n",
        "who_may_do_what",
        ACTS,
    ),
    removal(
        "a dispute is a supervisor's",
        STAFF_ACTS,
        "    if ready.weighty or ready.supervisor:\n",
        "    if ready.weighty:\n",
        "dispute",
        ACTS,
    ),
    removal(
        "a second member of staff confirms",
        STAFF_ACTS,
        "ready.weighty and service.settings.rules.second_person",
        "False",
        "waits_for_another",
        ACTS,
    ),
    removal(
        "who has asked does not confirm",
        STAFF_ACTS,
        "        if row.asked_by == staff.actor or staff.is_concerned(",
        "        if staff.is_concerned(",
        "waits_for_another",
        ACTS,
    ),
    removal(
        "whom an act concerns does not stop it",
        STAFF_ACTS,
        "row.asked_by == staff.actor or staff.is_concerned(tx.get_one(Account, row.account_id))",
        "row.asked_by == staff.actor",
        "waits_for_another",
        ACTS,
    ),
    removal(
        "an agent does not confirm",
        STAFF_ACTS,
        "    staff.refuse_without(SUPERVISOR)\n    decided, now",
        "    decided, now",
        "waits_for_another",
        ACTS,
    ),
    removal(
        "nobody acts on their own account",
        STAFF_ACTS,
        "    if staff.is_concerned(account):\n",
        "    if False:\n",
        "own_account",
        ACTS,
    ),
    removal(
        "an act is done once",
        STAFF_ACTS,
        "        elif inserted:\n",
        "        else:\n",
        "many_times_at_once",
        ACTS,
    ),
    removal(
        "an act is decided once",
        STAFF_ACTS,
        "        row = _undecided(tx, id, now)\n        row.state",
        "        row = tx.get_one(StaffAct, id)\n        row.state",
        "decide_at_once",
        ACTS,
    ),
    removal(
        "what waits too long is over",
        STAFF_ACTS,
        'row.state == "waiting" and row.expires_at > now',
        'row.state == "waiting"',
        "waits_a_week",
        ACTS,
    ),
    removal(
        "a request_id is for one act",
        STAFF_ACTS,
        "    if row.asked != told:\n",
        "    if False:\n",
        "sent_twice",
        ACTS,
    ),
    removal(
        "the register knows the number",
        "rights/customer_service.py",
        "        if customer is None:\n",
        "        if False:\n",
        "each_refusal",
        ACTS,
    ),
    removal(
        "another name is not joined",
        TABLE,
        "    person.refuse_other_name(account, found[0], asked.name_changed_to)\n",
        "",
        "each_refusal",
        ACTS,
    ),
    removal(
        "confirmations are limited",
        TABLE,
        "    if may_be_written_to(service, account.email) is not None:\n",
        "    if False:\n",
        "within_the_limit",
        ACTS,
    ),
    removal(
        "the commands know one person from two",
        "cli/people_options.py",
        "second.casefold() == run.operator.casefold()",
        "second == run.operator",
        "second_person",
        "tests/registration/cli/test_grant.py",
    ),
    removal(
        "a client with roles has a key",
        "settings/models.py",
        "        if self.roles and self.jwks is None:\n",
        "        if False:\n",
        "client_with_roles",
        "tests/registration/settings/test_settings.py",
    ),
    removal(
        "a webhook is not in the clear",
        "settings/checks.py",
        '        **{("webhooks", name, "url"): hook.url for name, hook in settings.webhooks.items()},\n',
        "",
        "webhook",
        "tests/registration/settings/test_settings.py",
    ),
    removal(
        "where a webhook's name leads is looked at",
        "kit/json_service.py",
        "kind if allowed is None else checked(kind, allowed)",
        "kind",
        "private_address",
        HOOKS,
    ),
    removal(
        "an event is taken by a 2xx alone", "webhooks.py", "status in (200, 202, 204)", "status", "longer_each", HOOKS
    ),
    removal(
        "an event that nobody takes is given up",
        "webhooks.py",
        "                if now < record.at + GIVEN_UP:\n",
        "                if True:\n",
        "given_up",
        HOOKS,
    ),
    removal(
        "a receiver is told by one sender",
        "webhooks.py",
        "if row is None or max(row.next_try_at, row.claimed_until) > now:",
        "if row is None:",
        "two_senders",
        HOOKS,
    ),
)
"""Who may ask, what is done once and by two, and what webhooks are told."""
