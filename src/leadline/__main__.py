"""``python -m leadline``."""

import sys

from leadline.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
