import { createHash } from 'node:crypto';
import { LONGEST_WINDOW_MS, RING_SLOTS, SUB_BUCKETS, WINDOW_COUNT, WINDOW_MS } from '../windows.ts';

const RING_BYTES = RING_SLOTS * 4;
/** The newest sub-bucket of each ring as a double, then the sum of each ring as a uint32. */
const HEADER_BYTES = WINDOW_COUNT * 12;
const VALUE_BYTES = HEADER_BYTES + WINDOW_COUNT * RING_BYTES;
/** A little more than the longest window and its running sub-bucket; renewed when the longest ring moves, once a minute at most. */
const TIME_TO_LIVE_MS = LONGEST_WINDOW_MS + 180_000;
const BASES = WINDOW_MS.map((_, ring) => HEADER_BYTES + ring * RING_BYTES);
const HEADER_FORM = `>${'d'.repeat(WINDOW_COUNT)}${'I4'.repeat(WINDOW_COUNT)}`;

/**
 * Counts one hit of one entity. The value is a string of 1,024 bytes, all big-endian: the header, then the rings' slots (uint32);
 * it is changed in place, which is faster than writing it anew. What it does with time is `WindowPool.hit` of window-pool.ts,
 * line by line. A value of another length (another version's) starts afresh.
 *
 * KEYS[1] the entity; ARGV[1] unix milliseconds, whole. Returns the four counts.
 */
export const WINDOWS_SCRIPT = `
local key, scaled = KEYS[1], ARGV[1] * ${SUB_BUCKETS}
local pack, unpack, rep, floor, call = struct.pack, struct.unpack, string.rep, math.floor, redis.call
local a1, a2, a3, a4 = ${WINDOW_MS.map((width) => `floor(scaled / ${width})`).join(', ')}
local value = call('GET', key)
local l1, l2, l3, l4, s1, s2, s3, s4
if value and #value == ${VALUE_BYTES} then
  l1, l2, l3, l4, s1, s2, s3, s4 = unpack('${HEADER_FORM}', value)
end
if not l4 or a4 - l4 > ${SUB_BUCKETS} or l4 - a4 > ${SUB_BUCKETS} then
  local rings = {}
  for w, at in ipairs({ a1, a2, a3, a4 }) do
    local offset = (at % ${RING_SLOTS}) * 4
    rings[w] = rep('\\0', offset) .. '\\0\\0\\0\\1' .. rep('\\0', ${RING_BYTES - 4} - offset)
  end
  call('SET', key, pack('${HEADER_FORM}', a1, a2, a3, a4, 1, 1, 1, 1) .. table.concat(rings), 'PX', ${TIME_TO_LIVE_MS})
  return { 1, 1, 1, 1 }
end
local function hit(base, at, last, sum)
  if at - last > ${SUB_BUCKETS} or last - at > ${SUB_BUCKETS} then
    call('SETRANGE', key, base, rep('\\0', ${RING_BYTES}))
    sum, last = 0, at
  elseif at > last then
    for stale = last + 1, at do
      local offset = base + (stale % ${RING_SLOTS}) * 4
      local hits = unpack('>I4', value, offset + 1)
      if hits > 0 then
        sum = sum - hits
        call('SETRANGE', key, offset, '\\0\\0\\0\\0')
      end
    end
    last = at
  else
    local offset = base + (last % ${RING_SLOTS}) * 4
    call('SETRANGE', key, offset, pack('>I4', unpack('>I4', value, offset + 1) + 1))
    return last, sum + 1
  end
  call('SETRANGE', key, base + (last % ${RING_SLOTS}) * 4, '\\0\\0\\0\\1')
  return last, sum + 1
end
local hour = l4
l1, s1 = hit(${BASES[0]}, a1, l1, s1)
l2, s2 = hit(${BASES[1]}, a2, l2, s2)
l3, s3 = hit(${BASES[2]}, a3, l3, s3)
l4, s4 = hit(${BASES[3]}, a4, l4, s4)
call('SETRANGE', key, 0, pack('${HEADER_FORM}', l1, l2, l3, l4, s1, s2, s3, s4))
if l4 ~= hour then call('PEXPIRE', key, ${TIME_TO_LIVE_MS}) end
return { s1, s2, s3, s4 }
`;

/** What EVALSHA names the script by. */
export const WINDOWS_SCRIPT_SHA = createHash('sha1').update(WINDOWS_SCRIPT).digest('hex');
