"""Resetting a second factor: understood, and never done by the desk."""

from __future__ import annotations

from bot.procedures.action import Declined


class ResetMfa(Declined):
    name = "reset_mfa"
    title = "Reset my second factor"
    why = (
        "I do not reset second factors, for anybody: it is the one thing that still protects an account"
        " once somebody else has its password or its chat."
    )
    way_out = (
        "Please go to the help desk in person with your badge, or have your manager bring you there"
        " on a video call. They can do it in five minutes."
    )


ACTION = ResetMfa()
