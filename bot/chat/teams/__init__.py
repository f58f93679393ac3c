"""Microsoft Teams: botbuilder, and everything that knows of it."""
