import {
  ACCURACY,
  ALLOWED,
  ASNS_MAX,
  COUNTRIES_MAX,
  LAST_ALLOWED,
  LATITUDE,
  LONGITUDE,
  NEWEST,
  PLACE_AT,
} from '../behaviour/client-record.ts';
import { LONGEST_MS } from '../behaviour/memory.ts';
import { DEVICES_MAX } from '../device/seen-devices.ts';
import { LUA_CLIENT_TIME, LUA_COUNT_EVENT } from './client-lua.ts';
import { LUA_NAMES, LUA_TIME_OF } from './distinct-lua.ts';
import {
  ASNS_BYTE,
  COUNTRIES_BYTE,
  DEVICE_FLOAT,
  DEVICES_BYTE,
  headForm,
  LEARN_WORDS,
  luaFloat,
  luaWord,
  luaWordPlace,
  RECORD_BYTES,
} from './layout.ts';
import { type Script, scriptOf } from './script.ts';

/** `ARGV[2]` where the request was allowed; else it is the number of an event's kind, or empty. */
export const LEARN_ALLOWED = 'allow';

const TIMES_MAX = 0xffff_fffe;
/** Bytes of one device, and where the first one lies after the times allowed and the mark of a list that was too short. */
const DEVICE_BYTES = 12;
const FIRST_DEVICE_BYTE = DEVICES_BYTE + 8;
const DEVICES_END = FIRST_DEVICE_BYTE + DEVICES_MAX * DEVICE_BYTES;

/**
 * Learns from a decision or a report: what `ClientMemory.learn`, its `outcome` and the devices' `learn` change of a record. Of a client that
 * is not there it learns nothing. ARGV[1] unix milliseconds; ARGV[2] see above; then each empty where there is none: ARGV[3] country and ARGV[4]
 * AS as numbers, ARGV[5] to ARGV[7] latitude, longitude and accuracy, ARGV[8] 1 where the devices learn, ARGV[9] and ARGV[10] low and high
 * half of a device's hash.
 */
export const LEARN_SCRIPT: Script = scriptOf(`
${LUA_NAMES}
local received = tonumber(ARGV[1])
local value = call('GET', key)
if not value or #value < ${RECORD_BYTES} then return 0 end
local w = { read('${headForm(LEARN_WORDS)}', value) }
w[${luaWordPlace(LEARN_WORDS)}] = nil
${LUA_TIME_OF(LONGEST_MS)}
${LUA_CLIENT_TIME}
${LUA_COUNT_EVENT}
local function remember(start, size, most, form, number)
  local packed = pack(form, number)
  if sub(value, start + size + 1, start + 2 * size) == packed then return end
  local none = rep('\\0', size)
  local index = 1
  local function cell(at) return sub(value, start + at * size + 1, start + (at + 1) * size) end
  while index < most and cell(index) ~= packed and cell(index) ~= none do index = index + 1 end
  local mark = sub(value, start + 1, start + size)
  if index == most and cell(index) ~= packed and cell(index) ~= none then mark = pack(form, 1) end
  call('SETRANGE', key, start, mark .. packed .. sub(value, start + size + 1, start + index * size))
end
local function rememberDevice(low, high, since)
  local first, last, found = ${FIRST_DEVICE_BYTE}, ${DEVICES_END - DEVICE_BYTES}, -1
  for at = first, last, ${DEVICE_BYTES} do
    local knownLow, knownHigh, knownSince = read('<I4I4I4', value, at + 1)
    if knownLow == low and knownHigh == high and knownSince ~= 0 then
      found, since = at, knownSince
      break
    end
  end
  if found == first then return end
  local ending = found
  if found < 0 then
    ending = first
    while ending < last and read('<I4', value, ending + 9) ~= 0 do ending = ending + ${DEVICE_BYTES} end
    if ending == last and read('<I4', value, ending + 9) ~= 0 then call('SETRANGE', key, ${DEVICES_BYTE + 4}, pack('<I4', 1)) end
  end
  call('SETRANGE', key, first, pack('<I4I4I4', low, high, since) .. sub(value, first + 1, ending))
end
if ARGV[2] ~= '' and ${luaFloat(NEWEST)} ~= 0 then
  local now = timeOfClient(received)
  if ARGV[2] ~= '${LEARN_ALLOWED}' then
    countEvent(now, tonumber(ARGV[2]))
  else
    ${luaWord(ALLOWED)} = min(${luaWord(ALLOWED)} + 1, ${TIMES_MAX})
    ${luaFloat(LAST_ALLOWED)} = now
    if ARGV[3] ~= '' then remember(${COUNTRIES_BYTE}, 2, ${COUNTRIES_MAX}, '<I2', tonumber(ARGV[3])) end
    if ARGV[4] ~= '' then remember(${ASNS_BYTE}, 4, ${ASNS_MAX}, '<I4', tonumber(ARGV[4])) end
    if ARGV[5] ~= '' then
      ${luaFloat(PLACE_AT)}, ${luaFloat(LATITUDE)} = now, tonumber(ARGV[5])
      ${luaFloat(LONGITUDE)}, ${luaFloat(ACCURACY)} = tonumber(ARGV[6]), tonumber(ARGV[7])
    end
  end
end
if ARGV[8] == '1' and ${luaFloat(DEVICE_FLOAT)} ~= 0 then
  local now = timeOf(${luaFloat(DEVICE_FLOAT)}, received)
  ${luaFloat(DEVICE_FLOAT)} = now
  call('SETRANGE', key, ${DEVICES_BYTE}, pack('<I4', min(read('<I4', value, ${DEVICES_BYTE + 1}) + 1, ${TIMES_MAX})))
  if ARGV[9] ~= '' then rememberDevice(tonumber(ARGV[9]), tonumber(ARGV[10]), max(1, floor(now / 1000))) end
end
call('SETRANGE', key, 0, pack('${headForm(LEARN_WORDS)}', spread(w)))
return 1
`);
