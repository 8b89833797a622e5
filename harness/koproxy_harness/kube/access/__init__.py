"""Who asks, whom they act as, and whether they may."""
