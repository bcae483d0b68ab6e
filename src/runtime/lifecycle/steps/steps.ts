/** Runs steps and remembers of each how long it took and what came of it; a failure stops no other step. */
import { type Env, messageOf } from '../../../kernel/index.ts';
import { type KillStep, type StepName, type Subject, stepNames } from '../types.ts';

export interface Steps {
  /** For one subject. Never rejects. */
  run(step: StepName, subject: Subject, work: () => Promise<string>): Promise<void>;
  /** For each of many, at most 16 at once. */
  runEach(step: StepName, subjects: readonly Subject[], work: (subject: Subject) => Promise<string>): Promise<void>;
  /** One piece of work that serves all of them. */
  runOnce(step: StepName, subjects: readonly Subject[], work: () => Promise<string>): Promise<void>;
  of(subject: Subject): readonly KillStep[];
}

const atOnce = 16;
const tellEveryMs = 1000;

export function openSteps(env: Env, onProgress: ((text: string) => void) | undefined): Steps & Disposable {
  const done = new Map<Subject, KillStep[]>();
  const under = new Map<StepName, number>();
  const count = (step: StepName, by: number): void => void under.set(step, (under.get(step) ?? 0) + by);

  let timer: Disposable | undefined;
  const tell = (): void => {
    const busy = [...under].filter(([, n]) => n > 0).map(([step, n]) => `${step} (${n})`);
    if (busy.length > 0) onProgress?.(`Still busy with ${busy.join(', ')} …`);
    timer = env.timer(tell, tellEveryMs);
  };
  if (onProgress) timer = env.timer(tell, tellEveryMs);

  const run: Steps['run'] = async (step, subject, work) => {
    const from = env.monotonic();
    count(step, 1);
    const end = await work().then(
      (detail) => ({ ok: true, detail }),
      (error: unknown) => ({ ok: false, detail: messageOf(error) }),
    );
    count(step, -1);
    done.set(subject, [...(done.get(subject) ?? []), { step, ...end, ms: round(env.monotonic() - from) }]);
  };

  return {
    run,
    async runEach(step, subjects, work) {
      const queue = [...subjects];
      const worker = async (): Promise<void> => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const subject = next;
          await run(step, subject, () => work(subject));
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, subjects.length) }, worker));
    },
    async runOnce(step, subjects, work) {
      if (subjects.length === 0) return;
      const shared = work();
      await Promise.all(subjects.map((subject) => run(step, subject, () => shared)));
    },
    of: (subject) => (done.get(subject) ?? []).sort((a, b) => stepNames.indexOf(a.step) - stepNames.indexOf(b.step)),
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}

export function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
