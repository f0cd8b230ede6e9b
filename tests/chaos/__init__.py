"""What reliability is tested with: actors, faults, invariants, load.

`docs/reliability.md` says what is checked and how to run it.
"""
