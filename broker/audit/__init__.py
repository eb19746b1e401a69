"""The audit trail: who identified where and when, in files that show when they were tampered with.

    writing   AuditTrail(folder, clock).record("identified", txn=…)   returns when the record is on the disk
              .count_refusal(Refusal(code, step, …))          one record a minute for each kind, with a count
    pruning   prune(trail, folder, …)                         removes old files, leaves a signed checkpoint
    reading   find(folder, "K7QF") · count_refusals(folder, since) · verify(folder, heads)   for `tunnus audit`

A file is a chain: each line holds the hash of the one before and its own. A process writes one file, and
closes it with a last record. What a chain cannot show by itself (lines cut off its end, a chain written anew) is shown
by the heads in the log: every minute the hash of the last record goes there, to be kept somewhere else.
"""

from __future__ import annotations

from broker.audit.chain import FIELDS
from broker.audit.counts import Refusal
from broker.audit.probes import remove_stale_probes
from broker.audit.reader import Finding, Story, Verification, count_refusals, find, verify
from broker.audit.trail import AuditTrail, AuditUnavailable
from kit.audit.heads import Head

__all__ = [
    "FIELDS",
    "AuditTrail",
    "AuditUnavailable",
    "Finding",
    "Head",
    "Refusal",
    "Story",
    "Verification",
    "count_refusals",
    "find",
    "remove_stale_probes",
    "verify",
]
