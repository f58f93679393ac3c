"""Systems Deskhand acts in: one folder each, all speaking the ports of ``contract``."""
