"""Messages of the library for a selector that was given no ``log``: they go to Python's ``logging``."""

import logging

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def emit(level: str, line: str) -> None:
    logging.getLogger("adaptive_selector").log(_LEVELS[level], "%s", line)
