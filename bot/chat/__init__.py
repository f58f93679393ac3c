"""Chat platforms: a leaf. They share the card and know nothing of requests."""
