import type { SignatureOffer } from '../../contract/request.ts';
import type { SignatureCode } from '../../contract/signature.ts';
import {
  bytesOf,
  bytesText,
  fieldText,
  hasRepeatedNames,
  isInnerList,
  memberText,
  parseFieldDictionary,
} from '../../formats/structured-fields.ts';
import { type Component, readComponent } from './component.ts';
import { readParameters, type SignatureParameters } from './parameters.ts';

const SIGNATURES_MAX = 8;
const COMPONENTS_MAX = 64;
/** RSA with 8192 bits. */
const SIGNATURE_BYTES_MAX = 1024;

/** One signature as it was offered, taken apart and not yet believed (RFC 9421 sections 4.1 and 4.2). */
export type OfferedSignature = {
  readonly label: string;
  readonly components: readonly Component[];
  readonly parameters: SignatureParameters;
  /** The canonical text of the components with their parameters: the value of `@signature-params`. */
  readonly signed: string;
  readonly signature: Buffer;
};

/**
 * Takes the two fields apart: dictionaries that every parser reads alike, a signature for each input and an input for each signature, components
 * that are named once. Those that `isOurs` leaves out by their parameters are not looked at any further.
 */
export function parseSignatures(
  offer: SignatureOffer,
  fieldBytesMax: number,
  isOurs: (parameters: SignatureParameters) => boolean,
): readonly OfferedSignature[] | SignatureCode {
  const inputText = fieldText(offer.input);
  const signatureText = fieldText(offer.signature);
  if (inputText.length > fieldBytesMax || signatureText.length > fieldBytesMax) return 'signature_too_large';
  const inputs = parseFieldDictionary(inputText);
  const signatures = parseFieldDictionary(signatureText);
  if (inputs === null || signatures === null) return 'signature_malformed';
  if (hasRepeatedNames(inputText, inputs) || hasRepeatedNames(signatureText, signatures)) return 'signature_malformed';
  if (inputs.size !== signatures.size || inputs.size === 0) return 'signature_incomplete';
  if (inputs.size > SIGNATURES_MAX) return 'signature_too_large';
  const offered: OfferedSignature[] = [];
  for (const [label, input] of inputs) {
    const member = signatures.get(label);
    if (member === undefined) return 'signature_incomplete';
    const signature = isInnerList(member) ? null : bytesOf(member[0]);
    if (!isInnerList(input) || signature === null) return 'signature_malformed';
    // base64 whose unused bits are not zero: one signature would have several texts
    if (!signatureText.includes(bytesText(signature))) return 'signature_malformed';
    if (signature.length > SIGNATURE_BYTES_MAX || input[0].length > COMPONENTS_MAX) return 'signature_too_large';
    const parameters = readParameters(input[1]);
    if (parameters === null) return 'signature_parameter_invalid';
    if (!isOurs(parameters)) continue;
    const components = readComponents(input[0]);
    if (typeof components === 'string') return components;
    const signed = memberText(input);
    if (signed === null) return 'signature_malformed';
    offered.push({ label, components, parameters, signed, signature });
  }
  return offered;
}

function readComponents(items: Parameters<typeof readComponent>[0][]): readonly Component[] | SignatureCode {
  const components: Component[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    const component = readComponent(item);
    if (typeof component === 'string') return component;
    // RFC 9421 section 2: once each, in whatever order its parameters are written
    if (seen.has(component.identity)) return 'signature_component_repeated';
    seen.add(component.identity);
    components.push(component);
  }
  return components;
}
