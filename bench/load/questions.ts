/** The three effects that an answer can show. */
export type Effect = 'allow' | 'deny' | 'step_up';

/** One pre-encoded question. */
export type Question = {
  /** gRPC: the protobuf message; HTTP: the JSON body. */
  readonly body: Buffer;
  readonly expected: Effect;
};

/** What the load process is asked to do, as one JSON line on its standard input. */
export type LoadJob = {
  readonly protocol: 'grpc' | 'http';
  readonly port: number;
  /** HTTP: the request target. */
  readonly path: string;
  /** HTTP: further header lines of the request, each ended by CRLF. */
  readonly extraHeaders: string;
  readonly inFlight: number;
  /** gRPC: connections that share what is in flight; HTTP uses one a request in flight. */
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** False against the empty servers, which answer nothing in particular. */
  readonly checkAnswers: boolean;
  /** File made by `writeQuestions`. */
  readonly questionsFile: string;
};

/** One measurement. Times are microseconds. */
export type LoadResult = {
  readonly answers: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Answers by effect, over warm-up and measurement. */
  readonly effects: Readonly<Record<Effect | 'unknown', number>>;
  /** Answers whose effect was not the expected one. */
  readonly wrong: number;
  /** The first such answer, for a look. */
  readonly firstWrong: string | null;
  /** Share of its core that this process used while it measured. */
  readonly loaderBusy: number;
};

const EFFECTS: readonly Effect[] = ['allow', 'deny', 'step_up'];

/** Questions as bytes: per question the effect's index (1 byte), the length (4 bytes, big endian) and the body. */
export function packQuestions(questions: readonly Question[]): Buffer {
  return Buffer.concat(
    questions.flatMap((question) => {
      const head = Buffer.alloc(5);
      head[0] = EFFECTS.indexOf(question.expected);
      head.writeUInt32BE(question.body.length, 1);
      return [head, question.body];
    }),
  );
}

/** The reverse of `packQuestions`. */
export function unpackQuestions(bytes: Buffer): Question[] {
  const questions: Question[] = [];
  for (let at = 0; at < bytes.length; ) {
    const expected = EFFECTS[bytes[at] ?? 0] ?? 'deny';
    const length = bytes.readUInt32BE(at + 1);
    questions.push({ expected, body: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return questions;
}
