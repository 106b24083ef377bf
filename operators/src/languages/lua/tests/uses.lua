local wheel = require("mill.wheel")
local stone = require "mill.stone"
require("setup")

local Mill = {}

function Mill:grind(grain)
  self.wheel:turn(grain)
  return wheel.new(weigh(grain))
end
