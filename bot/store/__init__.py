"""What the desk keeps: the database, its schema, and the lock that makes one process its owner."""
