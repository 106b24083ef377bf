#!/usr/bin/env python3
"""A grain store."""
import functools

CAPACITY = 64
limit: int = 3
a, b = 1, 2


# Counts the grains.
# Twice.
def count(grains, *, twice=False) -> int:
    """Count the grains.

    Each one once.
    """
    def double(n):
        return n * 2

    return double(len(grains)) if twice else len(grains)


class Silo(Base, metaclass=Meta):
    """A place for grain."""

    size: int = 0
    KINDS = ("rye", "oat")

    def __init__(self, grains: list[int]) -> None:
        self.grains = grains

    @property
    @functools.cache
    def first(self):
        'The first grain.'
        return self.grains[0]

    @staticmethod
    async def open(
        path,
        mode="r",
    ):
        return path

    class Door:
        def shut(self): pass


@decorated(
    1,
)
class Mill: ...


if __name__ == "__main__":
    def main():
        pass
    main()
