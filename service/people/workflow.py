"""Staff: accounts, sign-in, sessions, keys; what other subjects ask of people starts here."""

from __future__ import annotations

from service.people.access import OPERATOR, STAFF_ROLES
from service.people.accounts import (
    Account,
    Enrolment,
    accept_invite,
    add_account,
    change_account,
    change_password,
    count_recovery_codes,
    end_account,
    end_sessions_of,
    has_password,
    list_accounts,
    open_invite,
    renew_invite,
    renew_recovery_codes,
    same_enrolment,
)
from service.people.addresses import change_own_address, own_address
from service.people.directory import Colleague, add_sample_lead, colleagues, labels_of, teams_of
from service.people.keys import Key, add_key, hash_key, key_rights, list_keys, make_key, principal_of_key, revoke_key
from service.people.sessions import end_session, find_session, list_sessions, require_fresh, sign_out
from service.people.signing import confirm, sign_in
from service.people.teams import list_teams, make_team, rename_team

LOCAL = OPERATOR  # whoever may read the data folder

__all__ = [
    "LOCAL",
    "OPERATOR",
    "STAFF_ROLES",
    "Account",
    "Colleague",
    "Enrolment",
    "Key",
    "accept_invite",
    "add_account",
    "add_key",
    "add_sample_lead",
    "change_account",
    "change_own_address",
    "change_password",
    "colleagues",
    "confirm",
    "count_recovery_codes",
    "end_account",
    "end_session",
    "end_sessions_of",
    "find_session",
    "has_password",
    "hash_key",
    "key_rights",
    "labels_of",
    "list_accounts",
    "list_keys",
    "list_sessions",
    "list_teams",
    "make_key",
    "make_team",
    "open_invite",
    "own_address",
    "principal_of_key",
    "rename_team",
    "renew_invite",
    "renew_recovery_codes",
    "require_fresh",
    "revoke_key",
    "same_enrolment",
    "sign_in",
    "sign_out",
    "teams_of",
]
