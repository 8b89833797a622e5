"""koproxy for minutes between real servers, while all that can change does: ``make soak``."""
