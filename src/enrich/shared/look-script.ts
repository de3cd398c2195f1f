import { BACKWARDS_MIN_MS } from '../behaviour/client-numbers.ts';
import { ADDRESSES, ASNS, BASELINE, CLIENT_SETS, MINUTE, NEWEST, RESOURCES } from '../behaviour/client-record.ts';
import { LONGEST_MS } from '../behaviour/memory.ts';
import { FIRST } from '../device/device-record.ts';
import { LUA_CLIENT_TIME } from './client-lua.ts';
import { LUA_DISTINCT, LUA_NAMES, LUA_TIME_OF } from './distinct-lua.ts';
import { DEVICE_FLOAT, headBytes, headForm, LOOK_WORDS, luaFloat, luaWord, luaWordPlace, RECORD_BYTES, SET_BYTES } from './layout.ts';
import { type Script, scriptOf } from './script.ts';

/** A client that was not there for as long as this is a new one. Renewed once an hour. */
const LIFE_MS = 30 * 86_400_000;

const DEVICE_NEWEST = luaFloat(DEVICE_FLOAT);
const DEVICE_FIRST = luaFloat(DEVICE_FLOAT + FIRST);
const [MEAN, VARIANCE] = [luaFloat(BASELINE), luaFloat(BASELINE + 1)];
const [RUNNING_MINUTE, MINUTE_COUNT, MINUTES] = [luaWord(MINUTE), luaWord(MINUTE + 1), luaWord(MINUTE + 2)];

const countSet = (set: (typeof CLIENT_SETS)[number], argument: number): string =>
  `  count(${luaWordPlace(set)}, ${RECORD_BYTES + CLIENT_SETS.indexOf(set) * SET_BYTES}, tonumber(ARGV[${argument}]), tonumber(ARGV[${argument + 1}]))`;

/**
 * Counts a request of one client: what `ClientMemory.look` and the devices' `look` change of a record, in the same order and arithmetic.
 * ARGV[1] unix milliseconds; ARGV[2], ARGV[3] 1 where behaviour and devices are remembered; then low and high half of the hashes of
 * resource, address and AS, empty where there is none. Returns 1 where the clock went back, else 0, and the record with the request in it:
 * what is told of it is worked out by whoever asks.
 */
export const LOOK_SCRIPT: Script = scriptOf(`
${LUA_NAMES}
local received = tonumber(ARGV[1])
local value = call('GET', key)
if not value or #value < ${RECORD_BYTES} then
  value = rep('\\0', ${RECORD_BYTES})
  call('SET', key, value)
end
local w = { read('${headForm(LOOK_WORDS)}', value) }
w[${luaWordPlace(LOOK_WORDS)}] = nil
local now = received
${LUA_TIME_OF(LONGEST_MS)}
${LUA_DISTINCT}
${LUA_CLIENT_TIME}
local used = max(${luaFloat(NEWEST)}, ${DEVICE_NEWEST})
local back, changed = 0, false
if ARGV[2] == '1' then
  if ${luaFloat(NEWEST)} - received > ${BACKWARDS_MIN_MS} then back = 1 end
  now = timeOfClient(received)
  local minute = floor(now / 60000)
  if ${RUNNING_MINUTE} ~= minute then
    local made = ${MINUTE_COUNT}
    if made > 0 then
      local minutes, mean, variance = ${MINUTES}, ${MEAN}, ${VARIANCE}
      local clipped = made
      if minutes >= 30 then clipped = min(made, mean + 3 * sqrt(max(variance, mean, 1))) end
      local weight = max(1 / 32, 1 / (minutes + 1))
      local change = clipped - mean
      local step = weight * change
      ${MEAN} = mean + step
      ${VARIANCE} = (1 - weight) * (variance + change * step)
      if minutes < 1000000 then ${MINUTES} = minutes + 1 end
    end
    ${RUNNING_MINUTE}, ${MINUTE_COUNT} = minute, 0
  end
  ${MINUTE_COUNT} = ${MINUTE_COUNT} + 1
${countSet(RESOURCES, 4)}
${countSet(ADDRESSES, 6)}
${countSet(ASNS, 8)}
  changed = advance(now)
end
if ARGV[3] == '1' then
  local newest = ${DEVICE_NEWEST}
  local at = timeOf(newest, received)
  ${DEVICE_NEWEST} = at
  if newest == 0 or ${DEVICE_FIRST} > at then ${DEVICE_FIRST} = at end
end
local head = pack('${headForm(LOOK_WORDS)}', spread(w))
call('SETRANGE', key, 0, head)
if floor(used / 3600000) ~= floor(received / 3600000) then call('PEXPIRE', key, ${LIFE_MS}) end
if changed then return { back, call('GETRANGE', key, 0, ${RECORD_BYTES - 1}) } end
return { back, head .. sub(value, ${headBytes(LOOK_WORDS) + 1}, ${RECORD_BYTES}) }
`);
