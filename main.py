"""Start Loopscope. The first start sets everything up: see ``app/bootstrap.py``."""

import sys

from app import bootstrap

if __name__ == "__main__":
    bootstrap.prepare()

    from app.application import main

    sys.exit(main())
