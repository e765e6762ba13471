// The zone in which times of day and dates are shown and read: that of this
// browser, or UTC, as the logs of servers have it. One for the whole page, which
// is drawn anew when it changes (app.tsx).

const MINUTE_MS = 60_000;

let isUtc = false;

export function setUtc(wanted: boolean): void {
  isUtc = wanted;
}

/** How much this zone is behind UTC at an instant. */
export function behindUtcMs(ms: number): number {
  return isUtc ? 0 : new Date(ms).getTimezoneOffset() * MINUTE_MS;
}

/** A date whose UTC parts are those of the zone. */
export function zoned(ms: number): Date {
  return new Date(ms - behindUtcMs(ms));
}

/** Epoch milliseconds of a time of the zone; the month counts from 0. */
export function msOf(year: number, month: number, day: number, h = 0, m = 0, s = 0): number {
  return isUtc ? Date.UTC(year, month, day, h, m, s) : new Date(year, month, day, h, m, s).getTime();
}
