import type { Grain } from "./grain";
import fs = require("fs");
export * as tools from "@scope/tools";

interface Machine extends Device, Parts.Wheel<Stone> {
  run(grain: Grain): Promise<Flour>;
}

abstract class Mill<T extends Load> extends Base<T> implements Machine, Closer {
  private readonly wheel: Parts.Wheel;
  constructor(stones: Map<string, Stone[]>) {
    super();
    this.wheel = new Parts.Wheel<Stone>(stones);
  }
}

type Alias = Grain | Partial<Flour>;
const make = (x: Grain): x is Flour => check<Grain>(x as Flour);
