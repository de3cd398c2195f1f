// What `helm test` runs: is the service ready, and does it decide for who may ask and for nobody else?
const { READY_URL, DECIDE_URL, PEP_TOKEN, ANONYMOUS } = process.env;
const TIMEOUT_MS = 5000;

const ready = await fetch(READY_URL, { signal: AbortSignal.timeout(TIMEOUT_MS) });
const parts = await ready.text();
if (ready.status !== 200) throw new Error(`not ready: ${parts}`);
console.log(`ready: ${parts}`);

if (DECIDE_URL) {
  const question = {
    request: { method: 'GET', scheme: 'https', host: 'test.example', path: '/', headers: {} },
    source: { ip: '192.0.2.1' },
  };
  const headers = { 'content-type': 'application/json', ...(PEP_TOKEN ? { authorization: `Bearer ${PEP_TOKEN}` } : {}) };
  const options = { method: 'POST', headers, body: JSON.stringify(question), signal: AbortSignal.timeout(TIMEOUT_MS) };
  const answer = await fetch(DECIDE_URL, options);
  const body = await answer.json();
  const wanted = PEP_TOKEN || ANONYMOUS ? 200 : 401;
  if (answer.status !== wanted) throw new Error(`/decide answered ${answer.status} (${body.code}), not ${wanted}`);
  console.log(wanted === 200 ? `decision: ${body.decision}, ${body.reasons[0].code}` : 'who shows no token is refused');
}
