import { createHash } from 'node:crypto';
import { LONGEST_WINDOW_MS, RING_SLOTS, SUB_BUCKETS, WINDOW_COUNT, WINDOW_MS } from './windows.ts';

const RING_BYTES = RING_SLOTS * 4;
/** Per ring: the newest sub-bucket as a double and the sum of the ring. */
const HEADER_BYTES = WINDOW_COUNT * 12;
const VALUE_BYTES = HEADER_BYTES + WINDOW_COUNT * RING_BYTES;
/** A little more than the longest window and its running sub-bucket. */
const TIME_TO_LIVE_MS = LONGEST_WINDOW_MS + 180_000;

/**
 * Counts one hit of one entity. The value is a string of 1,024 bytes: for each ring its newest sub-bucket (big-endian double)
 * and its sum (uint32), then the rings' slots (uint32). What it does with time is `WindowPool.hit` of window-pool.ts, line by
 * line. A value of another length (another version's) starts afresh.
 *
 * KEYS[1] the entity; ARGV[1] unix milliseconds, whole. Returns the four counts.
 */
export const WINDOWS_SCRIPT = `
local key, scaled = KEYS[1], ARGV[1] * ${SUB_BUCKETS}
local width = { ${WINDOW_MS.join(', ')} }
local pack, unpack, sub, rep, floor = struct.pack, struct.unpack, string.sub, string.rep, math.floor
local value = redis.call('GET', key)
local header, rings, sums = {}, {}, {}
local afresh = true
if value and #value == ${VALUE_BYTES} then
  local hour = unpack('>d', value, ${(WINDOW_COUNT - 1) * 12 + 1})
  local moved = floor(scaled / ${LONGEST_WINDOW_MS}) - hour
  afresh = moved > ${SUB_BUCKETS} or moved < -${SUB_BUCKETS}
end
for w = 1, ${WINDOW_COUNT} do
  local at = floor(scaled / width[w])
  local last, sum, ring = at, 0, nil
  if not afresh then
    last, sum = unpack('>dI4', value, (w - 1) * 12 + 1)
    if at - last <= ${SUB_BUCKETS} and last - at <= ${SUB_BUCKETS} then
      local base = ${HEADER_BYTES} + (w - 1) * ${RING_BYTES}
      ring = sub(value, base + 1, base + ${RING_BYTES})
      while last < at do
        last = last + 1
        local offset = (last % ${RING_SLOTS}) * 4
        local hits = unpack('>I4', ring, offset + 1)
        if hits > 0 then
          sum = sum - hits
          ring = sub(ring, 1, offset) .. '\\0\\0\\0\\0' .. sub(ring, offset + 5)
        end
      end
    else
      last, sum = at, 0
    end
  end
  local offset = (last % ${RING_SLOTS}) * 4
  if ring then
    rings[w] = sub(ring, 1, offset) .. pack('>I4', unpack('>I4', ring, offset + 1) + 1) .. sub(ring, offset + 5)
  else
    rings[w] = rep('\\0', offset) .. pack('>I4', 1) .. rep('\\0', ${RING_BYTES - 4} - offset)
  end
  sums[w] = sum + 1
  header[w] = pack('>dI4', last, sum + 1)
end
redis.call('SET', key, table.concat(header) .. table.concat(rings), 'PX', ${TIME_TO_LIVE_MS})
return sums
`;

/** What EVALSHA names the script by. */
export const WINDOWS_SCRIPT_SHA = createHash('sha1').update(WINDOWS_SCRIPT).digest('hex');
