/** What one kind of signature is asked to be. */
type Wanted = {
  /** A key of a dictionary (RFC 9651 section 3.1.2) but for its first character. */
  readonly label: string;
  readonly components: readonly string[];
  readonly contentDigest: boolean;
  readonly tag: string | null;
  readonly nonce: 'required' | 'optional';
  readonly expires: boolean;
};

/** A member of `Accept-Signature` (RFC 9421 section 5.1). The client makes its own nonce, as it does for the other parameters. */
export function acceptedMember({ label, components, contentDigest, tag, nonce, expires }: Wanted): string {
  const names = contentDigest && !components.includes('content-digest') ? [...components, 'content-digest'] : components;
  const key = /^[a-z*]/.test(label) ? label : `s${label}`;
  const covered = names.map((name) => `"${name}"`).join(' ');
  const asked = `created${expires ? ';expires' : ''};keyid${nonce === 'required' ? ';nonce' : ''}`;
  return `${key}=(${covered});${asked}${tag === null ? '' : `;tag="${tag.replace(/["\\]/g, '\\$&')}"`}`;
}
