import { FIRST, HOUR, LAST_ALLOWED, NEWEST, PLACE_AT } from '../behaviour/client-record.ts';
import { BUCKETS, KINDS } from '../behaviour/hour-counts.ts';
import { EVENTS_BYTE, luaFloat, luaWord } from './layout.ts';

const EVENT_BYTES = KINDS * BUCKETS * 2;

/** `timeOfClient` of client-memory.ts: sets `now` and the times of the record; then `advance` of hour-counts.ts, true where the counts changed. */
export const LUA_CLIENT_TIME = `
local function timeOfClient(received)
  local newest = ${luaFloat(NEWEST)}
  local at = timeOf(newest, received)
  if newest == 0 then ${luaFloat(FIRST)} = at end
  ${luaFloat(NEWEST)} = at
  if at < newest then
    ${luaFloat(FIRST)} = min(${luaFloat(FIRST)}, at)
    ${luaFloat(LAST_ALLOWED)} = min(${luaFloat(LAST_ALLOWED)}, at)
    ${luaFloat(PLACE_AT)} = min(${luaFloat(PLACE_AT)}, at)
  end
  return at
end
local function advance(at)
  local bucket, newest = floor(at / 300000), ${luaWord(HOUR)}
  if bucket == newest then return false end
  ${luaWord(HOUR)} = bucket
  local changed = false
  if bucket - newest >= ${BUCKETS} or bucket < newest then
    local none = rep('\\0', ${EVENT_BYTES})
    if sub(value, ${EVENTS_BYTE + 1}, ${EVENTS_BYTE + EVENT_BYTES}) ~= none then
      call('SETRANGE', key, ${EVENTS_BYTE}, none)
      changed = true
    end
    return changed
  end
  for stale = newest + 1, bucket do
    for kind = 0, ${KINDS - 1} do
      local offset = ${EVENTS_BYTE} + (kind * ${BUCKETS} + stale % ${BUCKETS}) * 2
      if sub(value, offset + 1, offset + 2) ~= '\\0\\0' then
        call('SETRANGE', key, offset, '\\0\\0')
        changed = true
      end
    end
  end
  return changed
end
`;

/** `countEvent` of hour-counts.ts. */
export const LUA_COUNT_EVENT = `
local function countEvent(at, kind)
  advance(at)
  local offset = ${EVENTS_BYTE} + (kind * ${BUCKETS} + ${luaWord(HOUR)} % ${BUCKETS}) * 2
  local events = read('<I2', call('GETRANGE', key, offset, offset + 1))
  if events < 65535 then call('SETRANGE', key, offset, pack('<I2', events + 1)) end
end
`;
