"""What an operator sees: health and the log."""
