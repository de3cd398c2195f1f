import { BLOCK_BYTES } from './layout.ts';

/*
 * The distinct sets of behaviour/distinct.ts and the estimator of behaviour/hyperloglog.ts in Lua, line by line: the same numbers from the same
 * doubles. `w` holds the leading cells of the value, `value` its bytes before this call, `now` unix milliseconds. A set has two blocks
 * from byte `base` of the value on, numbered 1 and 2.
 */

/** Short names of what the scripts use. Lua's own `unpack` is `spread`. */
export const LUA_NAMES = `
local key, pack, read, spread = KEYS[1], struct.pack, struct.unpack, unpack
local rep, sub, byte, char, find = string.rep, string.sub, string.byte, string.char, string.find
local floor, sqrt, min, max, call = math.floor, math.sqrt, math.min, math.max, redis.call
`;

/** Time of a record: never backwards, unless by more than it remembers. */
export const LUA_TIME_OF = (longestMs: number): string => `
local function timeOf(newest, at)
  if at < newest and newest - at <= ${longestMs} then return newest end
  return at
end
`;

/** 1 / (2 ln 2), as in hyperloglog.ts. */
const ALPHA = 0.721_347_520_444_481_7;

export const LUA_DISTINCT = `
local function rankOf(high)
  local rank, bit = 1, 2147483648
  while rank < 33 and high < bit do rank, bit = rank + 1, bit / 2 end
  return rank
end
local function raise(registers, low, high)
  local at, rank = low % 256 + 1, rankOf(high)
  if registers[at] < rank then registers[at] = rank end
end
local function noRegisters()
  local registers = {}
  for at = 1, 256 do registers[at] = 0 end
  return registers
end
local function sigma(share)
  if share == 1 then return math.huge end
  local x, y, z, before = share, 1, share, -1
  while before ~= z do
    x = x * x
    before = z
    z = z + x * y
    y = y + y
  end
  return z
end
local function tau(share)
  if share == 0 or share == 1 then return 0 end
  local x, y, z, before = share, 1, 1 - share, -1
  while before ~= z do
    x = sqrt(x)
    before = z
    y = y * 0.5
    z = z - (1 - x) * (1 - x) * y
  end
  return z / 3
end
local function estimateDistinct(registers)
  local histogram = {}
  for rank = 0, 33 do histogram[rank] = 0 end
  for at = 1, 256 do histogram[registers[at]] = histogram[registers[at]] + 1 end
  local z = 256 * tau(1 - histogram[33] / 256)
  for rank = 32, 1, -1 do z = 0.5 * (z + histogram[rank]) end
  z = z + 256 * sigma(histogram[0] / 256)
  return floor(${ALPHA} * 256 * 256 / z + 0.5)
end
local function blockOf(base, number)
  return sub(value, base + (number - 1) * ${BLOCK_BYTES} + 1, base + number * ${BLOCK_BYTES})
end
local function merge(registers, set, block)
  local count = w[set]
  if count == 0 then return end
  if count ~= 33 then raise(registers, w[set + 3], w[set + 2]) end
  if count == 1 then return end
  if count == 33 then
    for at = 1, 256 do
      local rank = byte(block, at)
      if rank > registers[at] then registers[at] = rank end
    end
    return
  end
  for index = 1, count - 1 do
    local low, high = read('<I4I4', block, 8 * index + 1)
    raise(registers, low, high)
  end
end
local function estimate(at, base, running)
  local registers = noRegisters()
  merge(registers, at + 1, running)
  merge(registers, at + 5, w[at + 6] > 0 and blockOf(base, w[at + 6]) or '')
  w[at + 9] = max(33, estimateDistinct(registers))
end
local function holds(set, base, low, high, hash)
  local count = w[set]
  if count == 0 then return false end
  if w[set + 3] == low and w[set + 2] == high then return true end
  if count == 1 then return false end
  local start = base + (w[set + 1] - 1) * ${BLOCK_BYTES}
  local block = sub(value, start + 9, start + 8 * count)
  local found = find(block, hash, 1, true)
  while found do
    if found % 8 == 1 then return true end
    found = find(block, hash, found + 1, true)
  end
  return false
end
local function append(at, base, low, high, hash)
  local running, before = at + 1, at + 5
  local count = w[running]
  local block = ''
  if count == 0 then
    w[running + 2], w[running + 3] = high, low
  else
    if count == 1 then w[running + 1] = w[before + 1] == 1 and 2 or 1 end
    local start = base + (w[running + 1] - 1) * ${BLOCK_BYTES}
    if count == 32 then
      local registers = noRegisters()
      raise(registers, w[running + 3], w[running + 2])
      for index = 1, 31 do
        local low, high = read('<I4I4', value, start + 8 * index + 1)
        raise(registers, low, high)
      end
      raise(registers, low, high)
      block = char(spread(registers))
      call('SETRANGE', key, start, block)
    else
      call('SETRANGE', key, start + 8 * count, hash)
      if w[before] == 33 then
        block = sub(value, start + 1, start + 8 * count)
        block = block .. rep('\\0', 8 * count - #block) .. hash
      end
    end
  end
  w[running] = count + 1
  if count == 32 or w[before] == 33 then estimate(at, base, block)
  elseif not holds(before, base, low, high, hash) then w[at + 9] = w[at + 9] + 1 end
end
local function count(at, base, low, high)
  local slot = floor(now / 3600000)
  local passed = slot - w[at]
  if passed == 1 then
    for cell = 1, 4 do w[at + 4 + cell], w[at + cell] = w[at + cell], 0 end
    if w[at + 5] == 33 then estimate(at, base, '') else w[at + 9] = w[at + 5] end
  elseif passed ~= 0 then
    for cell = 1, 9 do w[at + cell] = 0 end
  end
  w[at] = slot
  if not low then return end
  local running = at + 1
  if w[running] == 33 then
    local block, register, rank = blockOf(base, w[running + 1]), low % 256, rankOf(high)
    if byte(block, register + 1) < rank then
      call('SETRANGE', key, base + (w[running + 1] - 1) * ${BLOCK_BYTES} + register, char(rank))
      estimate(at, base, sub(block, 1, register) .. char(rank) .. sub(block, register + 2))
    end
    return
  end
  local hash = pack('<I4I4', low, high)
  if not holds(running, base, low, high, hash) then append(at, base, low, high, hash) end
end
`;
