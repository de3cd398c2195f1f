import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCase } from '../../src/cases/run-case.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, createTestPolicies, PROJECT_ROOT } from '../decide/fixtures.ts';
import { policyCli, policyJson } from '../support/policy-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-eval-'));
const bundle = join(folder, 'policy.tar.gz');
beforeAll(async () => writeFileSync(bundle, await baseBundle()));
afterAll(() => rmSync(folder, { recursive: true }));

const codesOf = (list: unknown): string[] => (Array.isArray(list) ? list.map(({ code }) => code) : []);

describe('policy eval', { timeout: 120_000 }, () => {
  it('answers a body of POST /decide, with every rule', async () => {
    const { code, said } = await policyJson(
      ['eval', bundle, '--input', '-'],
      '{"request":{"method":"GET","host":"api.example","path":"/orders/42"}}',
    );
    expect(code).toBe(0);
    expect(said).toMatchObject({
      ok: true,
      form: 'decide',
      effect: 'deny',
      status: 401,
      reasons: [{ code: 'identity.token_required' }],
      required_assurance: 2,
      collect: [],
      error: null,
      response: { status: 401 },
    });
    const { rules } = Object((await policyJson(['inspect', bundle])).said);
    expect(codesOf(said.verdicts)).toEqual(codesOf(rules));
    expect(said.verdicts).toContainEqual({ code: 'access.public_route', effect: 'clear' });
  });

  it('answers a case: a question with what is known of it', async () => {
    const file = join(folder, 'case.json');
    writeFileSync(
      file,
      JSON.stringify({
        ask: { request: { method: 'GET', host: 'api.example', path: '/orders/42' } },
        given: { token: { sub: 'agent-a', client_id: 'agent-a', scope: 'orders:read' } },
      }),
    );
    expect((await policyJson(['eval', bundle, '--input', file])).said).toMatchObject({
      form: 'case',
      effect: 'allow',
      reasons: [{ code: 'access.scope_granted' }],
      response: null,
    });
  });

  it('answers what Rego reads, also as a line of the decision log holds it, as the service decided', async () => {
    const policy = await createTestPolicies().activate('default', await baseBundle());
    const cases = loadCases().filter(({ levels, given }) => levels.includes('wasm') && given.lists.length === 0);
    const some = cases.filter((_one, index) => index % 12 === 0);
    for (const one of some) {
      const { decision, input } = runCase(policy, one).evaluated;
      for (const document of [input('full'), { kind: 'decision', request: { method: 'GET' }, signals: {}, input: input('referenced') }]) {
        const { said } = await policyJson(['eval', bundle, '--input', '-'], JSON.stringify(document));
        expect({ effect: said.effect, reasons: codesOf(said.reasons) }, one.name).toEqual({
          effect: decision.effect,
          reasons: decision.reasons.map(({ code }) => code),
        });
      }
    }
    expect(some.length).toBeGreaterThan(10);
  });

  it('tells what was left undecided', async () => {
    const { code, stdout } = await policyCli(['eval', bundle, '--input', '-'], '{"signals": {}}');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe('deny 503');
    expect(stdout).toContain('  identity.token_required: undecided\n');
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a line of the log without its input', '{"kind":"decision","signals":{},"input":null}'],
    ['an unknown field', '{"request":{"method":"GET","path":"/"},"more":1}'],
    ['a case of no form', '{"ask":{},"given":{"token":1}}'],
  ])('refuses %s with 65', async (_what, text) => {
    expect(await policyJson(['eval', bundle, '--input', '-'], text)).toMatchObject({
      code: 65,
      said: { error: { code: 'input_invalid' } },
    });
  });

  it('ends where nothing is there to decide by', async () => {
    expect((await policyCli(['eval', join(folder, 'none'), '--input', '-'], '{}')).code).not.toBe(0);
    expect((await policyCli(['eval', bundle, '--input', join(folder, 'none')])).code).toBe(66);
    expect((await policyCli(['eval', bundle])).code).toBe(64);
  });
});

describe('policy bench', { timeout: 120_000 }, () => {
  it('counts what it measures, over cases or one question', async () => {
    const { code, said } = await policyJson(['bench', bundle, '--cases', join(PROJECT_ROOT, 'test/cases'), '--decisions', '500']);
    expect(code).toBe(0);
    expect(said.decisions).toBe(500);
    expect(said.questions).toBeGreaterThan(150);
    expect(said.p50_us).toBeGreaterThan(0);
    expect(said.p99_us).toBeGreaterThanOrEqual(said.p50_us);
    expect(said.memory.rss_bytes).toBeGreaterThan(said.memory.heap_bytes);
    const file = join(folder, 'question.json');
    writeFileSync(file, '{"request":{"method":"GET","host":"api.example","path":"/health"}}');
    const words = await policyCli(['bench', bundle, '--input', file, '--decisions', '10']);
    expect(words.stdout).toMatch(/^10 decisions over 1 questions: p50 [\d.]+ µs, p99 [\d.]+ µs, mean [\d.]+ µs; memory /);
    expect(readFileSync(file, 'utf8')).toContain('/health');
  });

  it('wants one of the two, and something to ask', async () => {
    expect((await policyCli(['bench', bundle])).code).toBe(64);
    expect((await policyCli(['bench', bundle, '--cases', folder, '--input', '-'])).code).toBe(64);
    expect((await policyCli(['bench', bundle, '--cases', join(folder, 'none')])).code).toBe(66);
    expect((await policyCli(['bench', bundle, '--input', '-', '--decisions', '0'], '{}')).code).toBe(64);
  });
});
