import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BASE_PACKAGES } from '../../src/decide/base-packages.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { generateInputSchema, inputSchemaText, mergeAlternatives } from '../../src/decide/input-schema-json.ts';
import { scanRego } from '../../src/decide/rego-scan.ts';
import { copyWith } from './bundles.ts';
import { opa, POLICIES } from './fixtures.ts';

const check = (directory: string) => opa(['check', '--strict', '--schema', 'schemas', '.'], directory);

/** What `opa check` says of a rule that reads these references, or null where it is content. */
function checkRule(...references: readonly string[]): string | null {
  const body = references.map((reference) => `\t${reference}`).join('\n');
  const directory = copyWith({
    'countersign/rules/access/extra.rego': `package countersign.rules.access.extra\n\nverdict := "clear" if {\n${body}\n}\n`,
  });
  try {
    check(directory);
    return null;
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the base pack', () => {
  it('is formatted, strict, and right by both schemas', () => {
    expect(opa(['fmt', '--list', '--fail', '.'], POLICIES)).toBe('');
    expect(check(POLICIES)).toBe('');
  });

  it('passes its own tests', () => {
    expect(opa(['test', '-b', '.'], POLICIES)).toMatch(/^PASS: (9\d|\d{3,})\/\1\s*$/);
  });

  it('has a title, a description or custom facts that the build knows, and a test for each rule', () => {
    const tests = opa(['inspect', '-f', 'json', '.'], POLICIES);
    for (const category of ['access', 'binding', 'delegation', 'evidence', 'identity', 'network', 'rate', 'request', 'risk', 'signals']) {
      expect(tests).toContain(`countersign_test.rules.${category}_test`);
    }
  });

  it('holds the base packages that bundles are checked against', () => {
    for (const [name, [digest]] of Object.entries(BASE_PACKAGES)) {
      const file =
        name === 'countersign.decision' ? 'decision/decision.rego' : `${name.replace('countersign.', '').replaceAll('.', '/')}.rego`;
      expect(scanRego(readFileSync(join(POLICIES, 'countersign', file), 'utf8')).digest, name).toBe(digest);
    }
  });
});

describe('the input schema', () => {
  it('is the one that is generated (npm run policy:build -- --schema)', () => {
    expect(readFileSync(join(POLICIES, 'schemas/input.json'), 'utf8')).toBe(inputSchemaText());
    expect(JSON.parse(inputSchemaText())).toEqual(generateInputSchema());
  });

  it('says of every field what it is', () => {
    const bare: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      const known = z
        .looseObject({ description: z.string().optional(), properties: z.record(z.string(), z.unknown()).optional(), items: z.unknown() })
        .safeParse(schema);
      if (!known.success) return;
      if (path !== 'input' && !path.endsWith('[]') && known.data.description === undefined) bare.push(path);
      for (const [name, one] of Object.entries(known.data.properties ?? {})) visit(one, `${path}.${name}`);
      if (known.data.items !== undefined) visit(known.data.items, `${path}[]`);
    };
    visit(generateInputSchema(), 'input');
    expect(bare).toEqual([]);
  });

  it('has no form that OPA does not read', () => {
    expect(inputSchemaText()).not.toMatch(/"oneOf"|"type": \[/);
  });

  it('merges alternatives of objects and leaves others', () => {
    const a = { type: 'object', properties: { a: { type: 'string' } } };
    const b = { type: 'object', properties: { b: { type: 'number' } } };
    expect(mergeAlternatives({ oneOf: [a, b, { type: 'null' }] })).toMatchObject({ type: 'object', properties: { a: {}, b: {} } });
    expect(mergeAlternatives({ anyOf: [a, { type: 'string' }] })).toEqual({ anyOf: [a, { type: 'string' }] });
    expect(mergeAlternatives({ type: ['string', 'null'] })).toEqual({ anyOf: [{ type: 'string' }, { type: 'null' }] });
  });

  it.each([
    'input.signals.token.value.scpes',
    'input.signals.token.value.actor.subjct',
    'input.signals.token.value.delegation.widend',
    'input.signals.txn_token.value.req_workload',
    'input.evidence.agreement.pairs.token_key',
    'input.signals.certificate.value.not_aftr',
    'input.signals.network.value.cuntry',
    'input.signals.rate.value.client["5m"]',
    'input.signals.rate.value.pep.cnt',
    'input.signals.token.stats',
    'input.signals.tokn.status',
    'input.signals.device.value.new_for_clent',
    'input.signals.behaviour.value.country_nw',
    'input.signals.behaviour.value.outcomes.abus',
    'input.request.mthod',
    'input.request.body.jsn',
    'input.request.tls.ssni',
    'input.route.teir',
    'input.evidence.agreement.clent',
    'input.time.unix_secnds',
    'input.pepp.name',
    'data.countersign.limits.rate.cliient',
    'data.countersign.limits.tiers.hgh',
    'data.countersign.limits.tiers.high.risk.alowed',
    'input.subject.client.stauts == "active"',
    'input.subject.regstered',
    'input.signals.api_key.value.scpes',
  ])('a misspelt field is an error: %s', (reference) => {
    expect(checkRule(reference)).toMatch(/undefined ref/);
  });

  it('also through a variable', () => {
    expect(checkRule('token := input.signals.token', 'token.value.scpes')).toMatch(/undefined ref/);
  });

  it('right ones pass, also where null is compared and where anything may stand', () => {
    expect(
      checkRule(
        'input.signals.network.value.country == null',
        'input.signals.token.value.claims.anything.below',
        'input.context.anything',
        'input.request.body.json.anything',
        'input.request.query.q[0] == "x"',
        'is_null(input.signals.token.value.actor)',
        'is_null(input.subject.client)',
        'input.subject.client.tags[_] == "pci"',
        'input.signals.api_key.code == "api_key_missing"',
        'input.signals.token.code == "token_expired"',
      ),
    ).toBeNull();
  });

  it('is strict: a field that it does not name is no input', () => {
    expect(EvaluationInput.safeParse({ version: 1, more: true }).success).toBe(false);
  });
});
