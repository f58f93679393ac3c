"""How a request runs, from the wish to the receipt. Start reading at ``engine``."""
