"""Who may do what: the rules, what can be asked for, and the pure decision over both."""
