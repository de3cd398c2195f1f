import { describe, expect, it } from 'vitest';
import { readOpaBin, readSecretVariable } from '../../src/config/command-environment.ts';

describe('the environment of commands', () => {
  it('names the opa binary by the variable of policy.opaBin', () => {
    expect(readOpaBin({ COUNTERSIGN_POLICY_OPA_BIN: '/opt/opa' })).toBe('/opt/opa');
    expect(readOpaBin({ OPA_BIN: '/opt/opa' })).toBeNull();
  });

  it('holds a secret under a name that the caller chooses; an empty one is none', () => {
    expect(readSecretVariable('A_TOKEN', { A_TOKEN: 's3cret' })).toBe('s3cret');
    expect(readSecretVariable('A_TOKEN', { A_TOKEN: '' })).toBeNull();
    expect(readSecretVariable('A_TOKEN', {})).toBeNull();
  });
});
