import { z } from 'zod';
import { flag, seconds, secondsOrNull, signal, text, textOrNull, texts } from './input-fields.ts';

/** `input.signals.signature`. */
export const Signature = signal('The HTTP message signature (RFC 9421)', {
  profile: z.enum(['rfc9421', 'web_bot_auth']).describe('rfc9421: by a configured key set; web_bot_auth: by a key that an agent publishes'),
  key_set: textOrNull('Name of the configured key set'),
  label: text('Its label in Signature-Input'),
  key_id: text('keyid; of web_bot_auth the RFC 7638 thumbprint of the key'),
  agent: textOrNull('The URI that the key was fetched for: with the key it is the identity'),
  agent_listed: flag('The configuration names the agent'),
  tag: textOrNull('tag'),
  algorithm: text('Name of RFC 9421, such as ed25519'),
  created_at: seconds('created'),
  expires_at: secondsOrNull('expires'),
  covered: texts('Components that it covers, such as @authority or signature-agent;key="a"'),
  nonce: flag('A nonce was used up; without one the signature may come again until it expires'),
  digest: z
    .enum(['none', 'matched', 'unchecked'])
    .describe('Whether a covered Content-Digest is that of the body; unchecked: the body was not seen whole'),
  client_id: textOrNull('The client that the key set belongs to'),
});
