// A host that anybody can tell from any step on: processes that begin, run something and end, by the
// number of the step alone.

import type { EventNs, TaskEvent } from '@dendro/protocol';

export const EPOCH_NS = 1_795_459_682_000_000_000n;
export const STEP_NS = 1_000_000;
/** The recorder writes down so many at a time, then tells of them. */
export const STEPS_PER_FLUSH = 20;
/** A process lives for so many steps; each hundredth for ever. */
const LIFE_STEPS = 30;
const FIRST_PID = 1000;

export function pidOf(step: number): number {
  return FIRST_PID + (step % 2_000_000);
}

export function endOf(step: number): number | undefined {
  return step % 100 === 0 ? undefined : step + LIFE_STEPS;
}

/** What happens in a step: somebody is born, somebody ends. */
export function stepEvents(step: number): TaskEvent[] {
  const at = (step * STEP_NS) as EventNs;
  const events: TaskEvent[] = [];
  if (step === 0) {
    events.push({
      type: 'observe',
      at,
      tid: 1,
      pid: 1,
      ppid: 0,
      start: at,
      startIsTick: false,
      comm: 'init',
      argv: ['/sbin/init'],
      uid: 0,
    });
  }
  const ended = step - LIFE_STEPS;
  if (ended > 0 && endOf(ended) === step) {
    events.push({ type: 'exit', at, tid: pidOf(ended), pid: pidOf(ended), isGroupDead: true, code: ended % 256 });
  }
  if (step === 0) return events;
  events.push({ type: 'fork', at: (at + 1000) as EventNs, tid: pidOf(step), creatorTid: 1 });
  const argv = ['/bin/job', `--step=${step}`];
  events.push({ type: 'exec', at: (at + 2000) as EventNs, pid: pidOf(step), filename: '/bin/job', argv, comm: 'job' });
  return events;
}
