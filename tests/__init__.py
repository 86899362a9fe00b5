"""The tests, in the order of ``app/``. ``python3 -m tests`` runs them all, and the linters."""
