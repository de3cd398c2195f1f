import type { DecisionRequest } from '../../contract/request.ts';
import type { SignatureCode, SignatureValue } from '../../contract/signature.ts';
import type { Awaitable } from '../../contract/stages.ts';
import type { CheckSignature } from '../algorithms.ts';
import type { SignedMessage } from './component-value.ts';
import type { TimeRules } from './parameters.ts';
import type { OfferedSignature } from './signature-fields.ts';

/** A key that is the one a signature names. */
export type FoundKey = { readonly checks: ReadonlyMap<string, CheckSignature> };

/** The identity that a verified signature shows, besides its key. */
export type Signer = Pick<SignatureValue, 'keySet' | 'agent' | 'agentListed' | 'clientId'>;

/** What one kind of signature has to say, and where its keys are. */
export interface SignatureRules {
  readonly profile: SignatureValue['profile'];
  /** Unique among the rules: keeps their nonces apart. */
  readonly name: string;
  /** Null: signatures without a tag. */
  readonly tag: string | null;
  /** Names of RFC 9421 section 6.2. */
  readonly algorithms: readonly string[];
  readonly components: readonly string[];
  readonly contentDigest: boolean;
  readonly times: TimeRules;
  readonly nonceRequired: boolean;
  /** `Accept-Signature` (RFC 9421 section 5.1): a member of the dictionary. */
  readonly accepted: string;
  /** False where the key id is known to be none of its keys. */
  knows(keyId: string | null): boolean;
  /** All that is particular to it and costs nothing; with it who would have signed. */
  examine(signature: OfferedSignature, message: SignedMessage): Examined | SignatureCode;
}

/** A signature whose particulars are right. */
export type Examined = {
  readonly signer: Signer;
  /** The key, at once or after a fetch. Never rejects. */
  readonly findKey: (request: DecisionRequest) => Awaitable<FoundKey | SignatureCode>;
};
