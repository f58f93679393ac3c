"""The tables of daily work: time off that was booked, tickets, equipment, expenses.

Company files made before these existed get them when they are opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlite_utils import Database

from integrations.company.seed_files import Seed


def create_work_tables(db: Database) -> None:
    """Those that are not there yet."""
    person = ("person_id", "person", "id")
    db.table("leave").create(
        {
            "id": str, "person_id": str, "policy": str, "first": str, "last": str, "amounts": str,
            "unit": str, "state": str, "note": str, "op": str,
        },
        pk="id",
        not_null={"person_id", "policy", "first", "last", "amounts", "unit", "state", "op"},
        foreign_keys=[person],
        if_not_exists=True,
    )  # fmt: skip
    db.table("leave").create_index(["person_id", "last"], if_not_exists=True)
    db.table("leave").create_index(["op"], unique=True, if_not_exists=True)
    db.table("ticket").create(
        {
            "number": int, "person_id": str, "title": str, "body": str, "kind": str, "status": str,
            "open": int, "moved_at": str, "op": str,
        },
        pk="number",
        not_null={"person_id", "title", "body", "kind", "status", "open", "moved_at", "op"},
        foreign_keys=[person],
        if_not_exists=True,
    )  # fmt: skip
    db.table("ticket").create_index(["op"], unique=True, if_not_exists=True)
    db.table("ticket_comment").create(
        {
            "id": int, "number": int, "author": str, "text": str, "at": str, "ours": int, "internal": int,
            "op": str,
        },
        pk="id",
        not_null={"number", "author", "text", "at", "ours", "internal", "op"},
        foreign_keys=[("number", "ticket", "number")],
        if_not_exists=True,
    )  # fmt: skip
    db.table("ticket_comment").create_index(["number", "id"], if_not_exists=True)
    db.table("ticket_comment").create_index(["op"], unique=True, if_not_exists=True)
    db.table("item").create(
        {"key": str, "name": str, "price": str, "currency": str, "kind": str, "aliases": str},
        pk="key",
        not_null={"name", "price", "currency", "kind", "aliases"},
        if_not_exists=True,
    )
    db.table("budget").create(
        {"department": str, "owner_id": str},
        pk="department",
        foreign_keys=[("owner_id", "person", "id")],
        if_not_exists=True,
    )
    db.table("expense").create(
        {
            "id": str, "person_id": str, "title": str, "amount": str, "currency": str, "status": str,
            "submitted_on": str, "paid_on": str,
        },
        pk="id",
        not_null={"person_id", "title", "amount", "currency", "status"},
        foreign_keys=[person],
        if_not_exists=True,
    )  # fmt: skip
    db.table("expense").create_index(["person_id"], if_not_exists=True)


def fill_work_tables(db: Database, seed: Seed, ids: Mapping[str, str]) -> None:
    """``ids``: of people, by account. What is there already stays as it is."""
    db.table("item").insert_all(
        (
            {**item.model_dump(mode="json", exclude={"aliases"}), "aliases": json.dumps(item.aliases)}
            for item in seed.equipment.items
        ),
        ignore=True,
    )
    db.table("budget").insert_all(
        (
            {"department": department, "owner_id": ids[account]}
            for department, account in seed.equipment.budgets.items()
            if account in ids
        ),
        ignore=True,
    )
    db.table("expense").insert_all(
        (
            {**expense.model_dump(mode="json", exclude={"account"}), "person_id": ids[expense.account]}
            for expense in seed.expenses
            if expense.account in ids
        ),
        ignore=True,
    )
