"""Pages of Deskhand's own, which a link on a card opens: small, without script, each for one thing."""
