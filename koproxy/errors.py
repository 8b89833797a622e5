"""The one error that is for people: bad flags and files, said in a sentence."""


class ConfigurationError(Exception):
    """What was given at start-up can't work.

    Its text is a whole message: what is wrong, where (flag, file, field, line) and what to do.
    It never holds a secret. The command line prints it and ends with exit status 2.
    """
