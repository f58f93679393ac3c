"""The web desk: chat in the browser, on this machine only, with no sign-in."""
