"""The record: who asked what, what was decided by which rules, who pressed what, what was done."""
