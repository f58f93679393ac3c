"""What the person wants: a proposal, never a permission. Works without network, model or training library."""
