// Moments as people read them, in the reader's own time zone.

const pad = (value: number) => String(value).padStart(2, "0");

export function clock(epoch: number): string {
  const date = new Date(epoch * 1000);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function day(epoch: number): string {
  const date = new Date(epoch * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export function moment(epoch: number): string {
  return `${day(epoch)} ${clock(epoch)}`;
}

/** A mark on an axis whose marks stand `step` seconds apart: a day at midnight, else as much of the clock as tells them apart. */
export function tick(epoch: number, step: number): string {
  const time = clock(epoch);
  if (step >= 86_400 || time === "00:00:00") return day(epoch).slice(5);
  return step < 60 ? time : time.slice(0, 5);
}

/** A range: the day is told once where both ends lie on it. */
export function span(from: number, until: number): string {
  return day(from) === day(until) ? `${moment(from)} – ${clock(until)}` : `${moment(from)} – ${moment(until)}`;
}

/** ISO 8601, for machines; empty for what no calendar has. */
export function iso(epoch: number): string {
  const date = new Date(epoch * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** Seconds since the epoch, now. */
export function now(): number {
  return Date.now() / 1000;
}
