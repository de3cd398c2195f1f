import { createHash } from 'node:crypto';
import { COUNTER_WINDOW_MS, RING_SLOTS, SUB_BUCKETS, SUM_MAX, WINDOW_MS } from '../windows.ts';

/** What one value holds: hits of an entity in uint32, or amounts of a named counter in doubles. */
type Form = { readonly windows: readonly number[]; readonly slot: 'I4' | 'd'; readonly slotBytes: number };

const ENTITY: Form = { windows: WINDOW_MS, slot: 'I4', slotBytes: 4 };
const COUNTER: Form = { windows: COUNTER_WINDOW_MS, slot: 'd', slotBytes: 8 };

/** Numbers one place after the other: `names('a', 2)` is `a1, a2`. */
const names = (name: string, count: number): string => Array.from({ length: count }, (_, index) => `${name}${index + 1}`).join(', ');

/**
 * Adds one amount (of an entity: a hit, 1). The value is a string, all big-endian: the newest sub-bucket of each ring as a double, the sum of each
 * ring, then the rings' slots; 1,024 bytes for an entity, 2,520 for a counter. It is changed in place, which is faster than writing it anew.
 * What it does with time is `WindowPool` of window-pool.ts, line by line. A value of another length (another version's) starts afresh.
 *
 * KEYS[1] the entity; ARGV[1] unix milliseconds, whole; ARGV[2] the amount; then pairs of a window (from 1) and its limit. Returns the sums, and
 * where one of the limits was exceeded a number for each: milliseconds until there is room (`roomAfterMs`), or 0.
 */
function scriptOf({ windows, slot, slotBytes }: Form): string {
  const count = windows.length;
  const longest = windows[count - 1] ?? 0;
  const ringBytes = RING_SLOTS * slotBytes;
  const headerBytes = count * (8 + slotBytes);
  const headerForm = `>${'d'.repeat(count)}${slot.repeat(count)}`;
  // a little more than the longest window and its running sub-bucket; renewed when the longest ring moves
  const timeToLiveMs = longest + (3 * longest) / SUB_BUCKETS;
  return `
local key, now, amount = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local scaled = now * ${SUB_BUCKETS}
local pack, unpack, rep, floor, min, call = struct.pack, struct.unpack, string.rep, math.floor, math.min, redis.call
local ${names('a', count)} = ${windows.map((width) => `floor(scaled / ${width})`).join(', ')}
local value = call('GET', key)
local ${names('l', count)}, ${names('s', count)}
if value and #value == ${headerBytes + count * ringBytes} then
  ${names('l', count)}, ${names('s', count)} = unpack('${headerForm}', value)
end
local function hit(base, at, last, sum)
  if at - last > ${SUB_BUCKETS} or last - at > ${SUB_BUCKETS} then
    call('SETRANGE', key, base, rep('\\0', ${ringBytes}))
    sum, last = 0, at
  elseif at > last then
    for stale = last + 1, at do
      local offset = base + (stale % ${RING_SLOTS}) * ${slotBytes}
      local hits = unpack('>${slot}', value, offset + 1)
      if hits > 0 then
        sum = sum - hits
        call('SETRANGE', key, offset, rep('\\0', ${slotBytes}))
      end
    end
    last = at
  else
    local offset = base + (last % ${RING_SLOTS}) * ${slotBytes}
    local added = min(amount, ${SUM_MAX} - sum)
    call('SETRANGE', key, offset, pack('>${slot}', unpack('>${slot}', value, offset + 1) + added))
    return last, sum + added
  end
  local added = min(amount, ${SUM_MAX} - sum)
  call('SETRANGE', key, base + (last % ${RING_SLOTS}) * ${slotBytes}, pack('>${slot}', added))
  return last, sum + added
end
if not l${count} or a${count} - l${count} > ${SUB_BUCKETS} or l${count} - a${count} > ${SUB_BUCKETS} then
  local rings = {}
  local first = pack('>${slot}', amount)
  for w, at in ipairs({ ${names('a', count)} }) do
    local offset = (at % ${RING_SLOTS}) * ${slotBytes}
    rings[w] = rep('\\0', offset) .. first .. rep('\\0', ${ringBytes - slotBytes} - offset)
  end
  ${names('l', count)} = ${names('a', count)}
  ${names('s', count)} = ${Array.from({ length: count }, () => 'amount').join(', ')}
  call('SET', key, pack('${headerForm}', ${names('a', count)}, ${names('s', count)}) .. table.concat(rings), 'PX', ${timeToLiveMs})
else
  local before = l${count}
${windows.map((_, ring) => `  l${ring + 1}, s${ring + 1} = hit(${headerBytes + ring * ringBytes}, a${ring + 1}, l${ring + 1}, s${ring + 1})`).join('\n')}
  call('SETRANGE', key, 0, pack('${headerForm}', ${names('l', count)}, ${names('s', count)}))
  if l${count} ~= before then call('PEXPIRE', key, ${timeToLiveMs}) end
end
if not ARGV[3] then return { ${names('s', count)} } end
local answer, newest, widths = { ${names('s', count)} }, { ${names('l', count)} }, { ${windows.join(', ')} }
local exceeded = false
for at = 3, #ARGV, 2 do
  local w, limit = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local after = 0
  if w <= ${count} and answer[w] > limit then
    if not exceeded then value = call('GET', key) end
    exceeded = true
    local wanted, leaving = answer[w] + amount - limit, newest[w] - ${SUB_BUCKETS}
    local base = ${headerBytes + 1} + (w - 1) * ${ringBytes}
    local left = unpack('>${slot}', value, base + (leaving % ${RING_SLOTS}) * ${slotBytes})
    while left < wanted and leaving < newest[w] do
      leaving = leaving + 1
      left = left + unpack('>${slot}', value, base + (leaving % ${RING_SLOTS}) * ${slotBytes})
    end
    after = math.ceil((leaving + ${RING_SLOTS}) * widths[w] / ${SUB_BUCKETS}) - now
  end
  answer[${count} + (at - 1) / 2] = after
end
if not exceeded then return { ${names('s', count)} } end
return answer
`;
}

export const WINDOWS_SCRIPT = scriptOf(ENTITY);
export const COUNTERS_SCRIPT = scriptOf(COUNTER);

/** What EVALSHA names the scripts by. */
export const WINDOWS_SCRIPT_SHA = createHash('sha1').update(WINDOWS_SCRIPT).digest('hex');
export const COUNTERS_SCRIPT_SHA = createHash('sha1').update(COUNTERS_SCRIPT).digest('hex');
