"""What has to happen before the interpreter goes away."""

import atexit
import weakref

from ._core import Saver

_savers: "weakref.WeakSet[Saver]" = weakref.WeakSet()


def close_at_exit(saver: Saver) -> None:
    """Closes the saver at the end of the program, so that what was measured until then is saved."""
    _savers.add(saver)


@atexit.register
def _close_all() -> None:
    for saver in list(_savers):
        saver.close()
