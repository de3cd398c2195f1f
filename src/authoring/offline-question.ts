import { askCase } from '../cases/run-case.ts';
import { Case } from '../cases/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { OfflineAnswer, PolicyTools } from './tools.ts';

/* A decision without a service, about a document in one of three forms. */

/** The form of a question: what Rego reads, a body of POST /decide, or a case (`ask` with what is `given`). */
export type QuestionForm = 'input' | 'decide' | 'case';

export type Explained = OfflineAnswer & { readonly form: QuestionForm; readonly response: JsonValue; readonly error: string | null };

/** A question of any form, or what is wrong with it. */
export type Question = { readonly form: 'input'; readonly input: JsonObject } | { readonly form: 'decide' | 'case'; readonly one: Case };

/** Reads a document; the form is told by what is in it. */
export function readQuestion(text: string): Question | { readonly problem: string } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'no JSON' };
  }
  if (!isJsonObject(document)) return { problem: 'it is no object' };
  if (document['kind'] === 'decision') {
    // a line of the decision log holds what Rego read, if the service keeps it
    const { input } = document;
    return isJsonObject(input) ? { form: 'input', input } : { problem: 'the line of the decision log holds no input' };
  }
  if ('signals' in document) return { form: 'input', input: document };
  const isCase = 'ask' in document;
  const wanted = { effect: 'deny', reasons: ['-'], record: { route: '-' } };
  const parsed = Case.safeParse({
    name: 'question',
    want: wanted,
    ...(isCase ? { ask: document['ask'], given: document['given'] ?? {} } : { ask: document }),
  });
  if (parsed.success) return { form: isCase ? 'case' : 'decide', one: parsed.data };
  const issue = parsed.error.issues[0];
  return { problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
}

/** A function that answers the question, as often as it is called. @throws CountersignError bundle_*; the function CaseError, policy_* */
export async function openQuestion(
  question: Question,
  bundle: Uint8Array,
  entrypoint: string,
  tools: PolicyTools,
): Promise<() => Explained> {
  if (question.form === 'input') {
    const decide = await tools.offline(bundle, entrypoint);
    return () => ({ ...decide(question.input), form: 'input', response: null, error: null });
  }
  const policy = await tools.load(bundle, entrypoint);
  return () => {
    const { evaluated } = askCase(policy, question.one, true);
    const { decision, collect } = evaluated;
    const verdicts = decision.explanation?.verdicts;
    return {
      form: question.form,
      effect: decision.effect,
      status: decision.response?.status ?? null,
      reasons: decision.reasons,
      verdicts: Array.isArray(verdicts) ? verdicts : [],
      requiredAssurance: decision.assurance.required,
      risk: decision.risk,
      stepUp: decision.stepUp === null ? null : { ...decision.stepUp },
      collect: collect ?? [],
      response: decision.response === null ? null : { ...decision.response },
      error: decision.error?.code ?? null,
    };
  };
}
