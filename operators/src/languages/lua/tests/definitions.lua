--- Keeps grain.
local M = {}

-- The most grains.
local capacity = 64

--- Adds a grain.
-- @param grain what to add
function M.add(grain)
  local function check(n)
    return n > 0
  end
  return check(1)
end

function M.Silo:open(path)
  self.path = path
end

local function help(x) return x end

M.shut = function(self)
  return 1
end

local double = function(n) return n * 2 end

--[[ Global one. ]]
function main() end

M.table = {
  grind = function(x) return x end,
}

return M
