import { DISTINCT_WORDS } from '../behaviour/distinct.ts';
import { LONGEST_MS } from '../behaviour/memory.ts';
import { LUA_DISTINCT, LUA_NAMES, LUA_TIME_OF } from './distinct-lua.ts';
import { type Script, scriptOf } from './script.ts';

/** The time of the last use as a double, then the set's words, then its two blocks. */
const FORM = `<d${'I4'.repeat(DISTINCT_WORDS)}`;
const HEAD_BYTES = 8 + 4 * DISTINCT_WORDS;
/** A set says nothing more two hours after its last use; the rest is for clocks that differ. It is renewed once an hour. */
const LIFE_MS = LONGEST_MS + 3_600_000;

/**
 * `DistinctPool` for one key. ARGV[1] unix milliseconds; ARGV[2] and ARGV[3] low and high half of a hash to add, or left out. Returns the number.
 * Nothing is made where only the number is asked for.
 */
export const DISTINCT_SCRIPT: Script = scriptOf(`
${LUA_NAMES}
local now, low, high = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local value = call('GET', key)
if not value or #value < ${HEAD_BYTES} then
  if not low then return 0 end
  value = rep('\\0', ${HEAD_BYTES})
  call('SET', key, value)
end
local w = { read('${FORM}', value) }
w[${DISTINCT_WORDS + 2}] = nil
-- what nearly every call finds: the first thing of this hour again
if low and w[2] == math.floor(now / 3600000) and now >= w[1] and w[6] == low and w[5] == high and w[3] > 0 and w[3] < 33 then
  call('SETRANGE', key, 0, pack('<d', now))
  return w[11]
end
${LUA_TIME_OF(LONGEST_MS)}
${LUA_DISTINCT}
now = timeOf(w[1], now)
w[1] = now
local before = w[2]
count(2, ${HEAD_BYTES}, low, high)
call('SETRANGE', key, 0, pack('${FORM}', spread(w)))
if w[2] ~= before then call('PEXPIRE', key, ${LIFE_MS}) end
return w[11]
`);
