"""The verbs: every read and every write that the system makes.

A function named as a thing returns it or raises `NotFound`; ``find_…`` may return None. Writes
that belong together happen in one transaction.
"""
