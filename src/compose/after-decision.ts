import type { DecisionRecord } from '../contract/record.ts';
import type { Logger, Observer, Recorder } from '../contract/stages.ts';

/** Records a decision, and then shows it to those who learn from it: none of them can change it. */
export function recordAndObserve(recorder: Recorder, observers: readonly (Observer | null)[], logger: Logger): Recorder {
  const present = observers.filter((one) => one !== null);
  return {
    ...(recorder.refuses === undefined ? {} : { refuses: recorder.refuses }),
    record(record: DecisionRecord) {
      recorder.record(record);
      for (const observer of present) {
        try {
          observer.observe(record);
        } catch (cause) {
          // the decision stands, whatever is not learnt from it
          logger.error('observe_failed', { cause });
        }
      }
    },
  };
}
