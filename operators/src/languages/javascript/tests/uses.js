import Default, { one, two as second } from "./util.js";
import * as all from "pkg/sub";
import "./side-effect";
export { three } from "../lib";
export * from "./everything";
const fs = require("fs");
const { join, resolve: absolute } = require("path");
const lazy = () => import("./lazy");

@sealed
class Mill extends Base.Machine {
  wheel = new Wheel(4);
  grind(grain) {
    this.wheel.turn(grain);
    return flour(grain)?.sift();
  }
}

export default function App() {
  return <Panel title={label("x")}><Mill.View /><div /></Panel>;
}
