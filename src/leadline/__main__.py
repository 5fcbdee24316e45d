"""``python -m leadline``, and the program ``leadline``."""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the program.

    Until outputs are open there is nothing to close: Ctrl-C then ends the process as the system does it, without a
    traceback of what was just being imported.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from leadline.cli.main import run

    run()


if __name__ == "__main__":
    main()
