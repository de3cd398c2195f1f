/** Hash slots of a Redis Cluster (redis.io, "Redis cluster specification", Key distribution model). */
export const SLOTS = 16_384;

/** CRC-16/XMODEM, by bytes. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** The slot of a key: that of its hash tag, the text between the first `{` and the next `}`, where that is not empty. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed, 'utf8')) crc = ((crc << 8) ^ (TABLE[(crc >> 8) ^ byte] ?? 0)) & 0xffff;
  return crc % SLOTS;
}

/** For each slot a short tag that lies in it; about 150,000 hashes, made once for the first who asks. */
let tags: readonly string[] | null = null;

/** A hash tag that lies in the slot. */
export function tagOfSlot(slot: number): string {
  tags ??= findTags();
  return tags[slot] ?? '';
}

function findTags(): readonly string[] {
  const found = new Array<string>(SLOTS).fill('');
  let missing = SLOTS;
  for (let number = 0; missing > 0; number++) {
    const tag = `started:${number}`;
    const slot = slotOf(tag);
    if (found[slot] !== '') continue;
    found[slot] = tag;
    missing -= 1;
  }
  return found;
}
