import { createHash } from 'node:crypto';

/*
 * One hash holds everything, so that it is lost whole or not at all, and lies on one node of a cluster:
 *   m            epoch version head count formerEpoch formerVersion
 *   e:<id>       <until> <text>
 *   c:<version>  <head> <id>: the change that made this version, of the last LOG_MAX ones
 * `former` is the history that an epoch was restored from: whoever knows no more than that has nothing to put back.
 */

/** Changes that are kept for those who follow; whoever is further behind reads everything. */
const LOG_MAX = 4096;

const READ = `
local key = KEYS[1]
local call = redis.call
local function meta()
  local m = call('HGET', key, 'm')
  if not m then return nil end
  local e, v, h, n, fe, fv = string.match(m, '^(%S+) (%d+) (%S+) (%d+) (%S+) (%d+)$')
  return e, tonumber(v), h, tonumber(n), fe, tonumber(fv)
end
`;

/** After `meta()`: why a change that somebody knows is not in this history. `behind`: it is further back than the log; `diverged`: it was lost. */
const GAP = `
local function gap(knownEpoch, known, knownHead)
  if epoch ~= knownEpoch then
    if knownEpoch == formerEpoch and known <= formerVersion then return 'behind' end
    return 'diverged'
  end
  if known > version then return 'diverged' end
  if known == version then return head ~= knownHead and 'diverged' or nil end
  local at = call('HGET', key, 'c:' .. string.format('%d', known))
  if not at then return 'behind' end
  return string.match(at, '^(%S+) ') ~= knownHead and 'diverged' or nil
end
`;

const WRITE = `${READ}
local epoch, version, head, count, formerEpoch, formerVersion = meta()
${GAP}
local function save(channel)
  call('HSET', key, 'm', table.concat({ epoch, string.format('%d', version), head, string.format('%d', count), formerEpoch, string.format('%d', formerVersion) }, ' '))
  if channel then redis.pcall('PUBLISH', channel, version) end
end
local function changed(nonce, id)
  version = version + 1
  head = nonce
  call('HSET', key, 'c:' .. string.format('%d', version), nonce .. ' ' .. id)
  call('HDEL', key, 'c:' .. string.format('%d', version - ${LOG_MAX}))
end
`;

/**
 * ARGV: put or restore, most entries, nonce, channel, epoch, version and head of the last change that the caller was told of (`-` for none),
 * then id, until and text of each.
 */
export const PUT_SCRIPT = `${WRITE}
local restore, nonce = ARGV[1] == 'restore', ARGV[3]
local started = epoch ~= nil
if not started and not restore then return { 'lost' } end
if started and ARGV[5] ~= '-' and gap(ARGV[5], tonumber(ARGV[6]), ARGV[7]) then return { 'lost' } end
if not restore then
  local fresh, seen = 0, {}
  for i = 8, #ARGV, 3 do
    local id = ARGV[i]
    if not seen[id] and call('HEXISTS', key, 'e:' .. id) == 0 then fresh = fresh + 1 end
    seen[id] = true
  end
  if fresh > 0 and count + fresh > tonumber(ARGV[2]) then return { 'full' } end
end
local before = version
for i = 8, #ARGV, 3 do
  local id, ends, text = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local old = call('HGET', key, 'e:' .. id)
  local oldEnds = old and tonumber(string.match(old, '^(%d+) ')) or -1
  if not old or (oldEnds ~= 0 and (ends == 0 or ends > oldEnds)) then
    call('HSET', key, 'e:' .. id, ARGV[i + 1] .. ' ' .. text)
    if started then
      if not old then count = count + 1 end
      changed(nonce, id)
    end
  end
end
if not started then return { 'put' } end
if version ~= before then save(ARGV[4]) end
return { 'put', epoch, version, head }
`;

/** ARGV: nonce, channel, epoch, version and head as for a put, then ids. */
export const REMOVE_SCRIPT = `${WRITE}
if not epoch or (ARGV[3] ~= '-' and gap(ARGV[3], tonumber(ARGV[4]), ARGV[5])) then return { 'lost' } end
local before = version
for i = 6, #ARGV do
  if call('HDEL', key, 'e:' .. ARGV[i]) == 1 then
    count = count - 1
    changed(ARGV[1], ARGV[i])
  end
end
if version ~= before then save(ARGV[2]) end
return { 'put', epoch, version, head }
`;

/**
 * ARGV: the time, then ids. It is no change: everybody leaves out by himself what is over. Nobody's clock ends an entry before the server's does.
 * Returns the time that counted, how many entries are left, then id and value of each that is there and not over.
 */
export const PURGE_SCRIPT = `${WRITE}
if not epoch then return { 'lost' } end
local before, now = count, math.min(tonumber(ARGV[1]), tonumber(call('TIME')[1]))
local answer = { 'purged', now, 0 }
for i = 2, #ARGV do
  local old = call('HGET', key, 'e:' .. ARGV[i])
  local ends = old and tonumber(string.match(old, '^(%d+) ')) or 0
  if ends ~= 0 and ends <= now then
    call('HDEL', key, 'e:' .. ARGV[i])
    count = count - 1
  elseif old then
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = old
  end
end
if count ~= before then save() end
answer[3] = count
return answer
`;

/** ARGV: epoch, version and head of a new history, the former epoch and version, channel, entries that were put back. Nothing where there is a history. */
export const BEGIN_SCRIPT = `${WRITE}
if epoch then return { 'put', epoch, version, head } end
epoch, version, head, formerEpoch, formerVersion = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
count = call('HLEN', key)
if count < tonumber(ARGV[7]) then return { 'lost' } end
call('HSET', key, 'c:' .. ARGV[2], head .. ' -')
save(ARGV[6])
return { 'put', epoch, version, head }
`;

/** ARGV: epoch, version and head that are known, the most changes of one answer, and epoch, version and head as for a put. */
export const FOLLOW_SCRIPT = `${READ}
local epoch, version, head, count, formerEpoch, formerVersion = meta()
if not epoch then return { 'lost' } end
${GAP}
local known = tonumber(ARGV[2])
local missing = gap(ARGV[1], known, ARGV[3])
local lost = ARGV[5] ~= '-' and gap(ARGV[5], tonumber(ARGV[6]), ARGV[7]) or nil
if missing == 'diverged' or lost == 'diverged' then return { 'diverged' } end
if missing or lost then return { 'behind' } end
if known == version then return { 'same', count } end
local to = math.min(version, known + tonumber(ARGV[4]))
local answer, newest = { 'changed', to, '', to < version and 1 or 0 }, nil
for v = known + 1, to do
  local change = call('HGET', key, 'c:' .. string.format('%d', v))
  if not change then return { 'behind' } end
  local nonce, id = string.match(change, '^(%S+) (%S+)$')
  newest = nonce
  if id ~= '-' then
    answer[#answer + 1] = id
    answer[#answer + 1] = call('HGET', key, 'e:' .. id) or ''
  end
end
answer[3] = newest
return answer
`;

export const ENTRIES_SCRIPTS = [PUT_SCRIPT, REMOVE_SCRIPT, PURGE_SCRIPT, BEGIN_SCRIPT, FOLLOW_SCRIPT] as const;

/** What EVALSHA names a script by. */
export function shaOf(script: string): string {
  return createHash('sha1').update(script).digest('hex');
}
