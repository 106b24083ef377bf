from __future__ import annotations
import os
import os.path as paths, sys
from . import sibling
from ..pkg.mod import Name as N, other
from deep.er import *


@app.route("/mill")
class Mill(Base, abc.ABC, metaclass=Meta):
    stones: list[Stone] = []

    @property
    def flour(self, grain: Grain | None, n: int = 1) -> Optional["Flour"]:
        self.wheel.turn(grain)
        return Flour(weigh(grain), key=lambda x: x.go())


def main():
    mill = Mill()
    mill.open().grind(os.path.join("a", "b"))
