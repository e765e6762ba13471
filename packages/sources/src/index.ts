export { HostClock } from './host-clock.ts';
export { ReplaySource } from './replay.ts';
export type { EventSink, Source } from './source.ts';
