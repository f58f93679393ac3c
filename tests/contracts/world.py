"""What the contract suite needs to know of a system: its ports, and who in it plays which part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from integrations.contract import Accounts, Check, Directory, Groups


@dataclass(frozen=True)
class Cast:
    """Parts, filled by people and groups of one system. Ids unless the name says otherwise."""

    employee: str
    employee_mail: str
    employee_account: str
    employee_name: str  # the full name
    employee_first_name: str  # nobody else has it
    chain: Sequence[str]  # the managers of the employee, nearest first, up to somebody without one
    report_of_employees_manager: str  # somebody other than the employee
    without_manager: str
    loop: tuple[str, str]  # each the manager of the other
    own_manager: str | None  # their own manager; None where the system cannot hold that
    ambiguous_name: str
    ambiguous: frozenset[str]  # who carries it
    contractor: str
    on_leave: str
    locked: str | None  # None where a lock-out shows nowhere and ends by itself
    disabled: str
    left: str
    privileged_by_nesting: str  # through a group inside a group inside the protected one
    nobody: str  # an id of the right form that nobody has

    group: str  # one may be given access to it; the employee is not in it
    group_name: str
    outer_group: str  # holds `inner_group`, which holds the employee
    inner_group: str
    looped_groups: tuple[str, str] | None  # each inside the other; None where the system refuses that
    no_group: str


@dataclass(frozen=True)
class Connector:
    """One system under test, freshly made."""

    cast: Cast
    directory: Directory
    groups: Groups
    accounts: Accounts
    check: Check
    can_log_in: Callable[[str, str], bool]  # account, password: independent of the ports
    down: Callable[[], AbstractContextManager[None]]  # inside it, the system answers nothing
    refusing: Callable[[], AbstractContextManager[None]]  # inside it, the system refuses us every write
