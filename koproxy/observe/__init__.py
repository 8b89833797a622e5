"""What an operator sees: health now, metrics and audit beside it."""
