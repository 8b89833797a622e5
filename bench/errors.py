"""What the benchmark can't do, or won't print a figure for."""


class NoFigure(Exception):
    """A sentence for people: a run whose figures would mean nothing, and why."""


class Missing(Exception):
    """A sentence for people: something that this machine lacks, and what to do."""
